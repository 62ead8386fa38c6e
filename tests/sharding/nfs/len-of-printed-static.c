// locks: length of an earlier packet's text
#include "table.h"
#include <stdio.h>
static char last[8];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  ip->time_to_live = snprintf(NULL, 0, "%s", last);
  last[0] = ip->packet_id;
  return !device;
}
