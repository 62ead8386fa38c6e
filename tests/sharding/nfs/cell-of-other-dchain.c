// locks: two dchains hand out the same numbers for one vector.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  int index2;
  if (!dchain_allocate_new_index(chain2, &index2, now)) return device;
  struct cell *c;
  vector_borrow(cells, index2, (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, index2, c);
  return full ? device : !device;
}
