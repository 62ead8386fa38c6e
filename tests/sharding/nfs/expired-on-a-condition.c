// locks: only long packets expire old entries, so when an entry goes depends on other packets.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (len > 100) {
    EXPIRE
  }
  SOURCE
  return !device;
}
