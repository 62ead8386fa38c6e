// locks: for a while nothing expires, though entries are old.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (now > 2 * LAG) EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, index, c);
  return full ? device : !device;
}
