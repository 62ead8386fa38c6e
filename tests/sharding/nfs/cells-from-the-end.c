// locks: cells are counted from the end of the vector here and from its start there, so two sources have one.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, CAPACITY - 1 - index, (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, CAPACITY - 1 - index, c);
  return full ? device : !device;
}
