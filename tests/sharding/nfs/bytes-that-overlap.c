// locks: counters of neighbouring ports share bytes.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static uint8_t counts[70000];
  uint32_t count;
  memcpy(&count, counts + l4->src, 4);
  count++;
  memcpy(counts + l4->src, &count, 4);
  return count > 100 ? device : !device;
}
