// locks: different pairs of ports have one sum.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static uint32_t counts[256];
  uint8_t at = l4->src + l4->dst;
  counts[at]++;
  return counts[at] > 100 ? device : !device;
}
