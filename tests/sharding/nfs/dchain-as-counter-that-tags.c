// locks: packets leave with a number that nobody looks up, and the dchain bounds how many there are in a time.
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int index;
  while (dchain_expire_one_index(chain, &index, now - LAG)) {
  }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  struct cell *c; vector_borrow(cells, index, (void **)&c); c->time = now; l4->src = index; vector_return(cells, index, c);
  return !device;
}
