// locks: static text through an array of pointers
#include "table.h"
#include <stdio.h>
static char a[8], b[8];
static char *const both[2] = {a, b};
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  ip->packet_id = strlen(both[ip->time_to_live & 1]);
  a[0] = b[0] = ip->src_addr;
  return !device;
}
