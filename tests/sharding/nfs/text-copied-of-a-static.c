// locks: text of an earlier packet is copied and leaves
#include "table.h"
static char last[8];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  char *s = strdup(last); ip->time_to_live = s[0]; free(s); last[0] = ip->packet_id;
  return 1 - device;
}
