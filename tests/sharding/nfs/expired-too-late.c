// locks: the packet meets old entries, which another core would have expired by then.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  EXPIRE
  return !device;
}
