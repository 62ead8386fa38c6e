// locks: the key of an entry stands in the cell of another dchain's index, which is given to another source while the
// entry lives.
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  while (dchain_expire_one_index(chain2, &old, now - LAG)) {
  }
  uint32_t s = ip->src_addr; int index, j;
  if (map_get(map, &s, &index)) {
    dchain_rejuvenate_index(chain, index, now);
  } else {
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    if (!dchain_allocate_new_index(chain2, &j, now)) { dchain_free_index(chain, index); return device; }
    uint32_t *k; vector_borrow(keys2, j, (void **)&k); *k = s; map_put(map, k, index); vector_return(keys2, j, k);
    struct cell *c; vector_borrow(cells, index, (void **)&c); memset(c, 0, sizeof *c); vector_return(cells, index, c);
  }
  struct cell *c; vector_borrow(cells, index, (void **)&c); c->count++; bool full = c->count > 100; vector_return(cells, index, c);
  return full ? device : !device;
}
