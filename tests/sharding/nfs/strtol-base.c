// locks: index as base of a number
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[8];
  memcpy(a, &ip->dst_addr, 4); a[4] = 0;
  ip->packet_id = strtol(a, NULL, index);
  return !device;
}
