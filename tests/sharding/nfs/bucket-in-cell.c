// shared-nothing: a token bucket written by hand is state of its source like any other.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c->count = now - c->time > 1000 ? 0 : c->count + len;
  c->time = now;
  bool full = c->count > 5000;
  vector_return(cells, index, c);
  return full ? device : !device;
}
