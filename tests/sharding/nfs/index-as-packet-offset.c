// locks: which byte of the packet changes is the number of the index.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  buffer[14 + (index & 15)] = 0;
  return !device;
}
