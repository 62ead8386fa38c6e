// locks: the length of a text that an earlier packet has written goes out
#include "table.h"
static char last[8];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  ip->time_to_live = strlen(last);
  last[len & 3] = ip->packet_id;
  return 1 - device;
}
