// locks: the cell is returned at index 0, which is another source's.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c->count++;
  vector_return(cells, 0, c);
  return c->count > 100 ? device : !device;
}
