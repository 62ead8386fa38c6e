// unknown: c[1] is the next index's cell in some implementations and nothing in others.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c[1].count++;
  vector_return(cells, index, c);
  return !device;
}
