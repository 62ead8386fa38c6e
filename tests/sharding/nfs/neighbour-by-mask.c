// locks: (index + 1) & 1023 is the cell of another source
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, (index + 1) & (CAPACITY - 1), (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, (index + 1) & (CAPACITY - 1), c);
  return full ? device : !device;
}
