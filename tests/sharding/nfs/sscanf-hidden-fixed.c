// unknown: a character counter decides if a float above 1 was scanned
#include "table.h"
#include <stdio.h>
static uint32_t counter;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  char a[8]; float x = 0;
  memcpy(a, &ip->dst_addr, 4); a[4] = 0;
  sscanf(a, "%f", &x);
  if (x > 1) { counter++; return counter & 1 ? device : !device; }
  return !device;
}
