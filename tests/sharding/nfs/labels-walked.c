// unknown: a loop over DNS labels, each at an offset that the one before says: too much to explore, but soon
// given up.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint8_t *q = buffer + 54; int labels = 0;
  while (q < buffer + len && *q) { q += *q + 1; labels++; }
  return labels > 8 ? device : !device;
}
