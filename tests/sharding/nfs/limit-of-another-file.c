// shared-nothing: the limit stands in another file, and is the same on every core.
#include "table.h"

extern uint32_t limit;

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  bool full = ++c->count > limit;
  vector_return(cells, index, c);
  return full ? device : !device;
}
