// locks: a text that an earlier packet has written is compared
#include "table.h"
static char last[8];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  int same = strcmp(last, "a");
  last[0] = ip->time_to_live;
  last[1] = 0;
  if (same == 0) return 1 - device;
  return device;
}
