// locks: an upper half of the addresses is negative as one type and large as another, and such packets are counted.
#include "table.h"
static uint64_t total;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  if ((double)(int32_t)source != (double)source) total++;
  return total > 100 ? device : !device;
}
