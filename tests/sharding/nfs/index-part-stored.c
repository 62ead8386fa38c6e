// locks: only a part of the index is stored: two sources may have the same.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  bool same = c->other == 7;
  c->other = index & 7;
  vector_return(cells, index, c);
  return same ? device : !device;
}
