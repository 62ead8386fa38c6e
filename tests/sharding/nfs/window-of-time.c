// shared-nothing: counters start anew in each window, which the packet's time alone decides.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  int64_t epoch = now / 1000000 * 1000000;
  struct cell *c; vector_borrow(cells, index, (void**)&c);
  if (c->time < epoch) { c->count = 0; c->time = now; }
  bool over = ++c->count > 100;
  vector_return(cells, index, c);
  return over ? device : !device;
}
