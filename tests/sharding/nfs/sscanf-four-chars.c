// unknown: a counter decides if four characters were read
#include "table.h"
#include <stdio.h>
static uint32_t counter;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  char a[8], c[4] = {0};
  memcpy(a, &ip->dst_addr, 4); a[4] = 0;
  sscanf(a, "%4c", c);
  if (c[3]) { counter++; return counter & 1 ? device : !device; }
  return !device;
}
