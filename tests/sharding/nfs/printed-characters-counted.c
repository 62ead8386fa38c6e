// locks: how many characters were printed is told, and counted.
#include "table.h"
#include <stdio.h>
static uint64_t total;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  total += printf("%u\n", source);
  return total > 100000 ? device : !device;
}
