// locks: packets are counted whose bytes at four and at eight times a length differ; written down, the two offsets look the same.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static uint32_t count;
  if (len < 200) return device;
  unsigned words = buffer[46] & 15;
  bool differ = buffer[14 + 4 * words] != buffer[14 + 8 * words];
  return differ && ++count > 100 ? device : !device;
}
