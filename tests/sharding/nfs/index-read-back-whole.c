// shared-nothing: the number of an index leaves whole in the packet, after it was kept in its own cell.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t s = ip->src_addr; int i;
  if (map_get(map, &s, &i)) {
    dchain_rejuvenate_index(chain, i, now);
    struct cell *c; vector_borrow(cells, i, (void **)&c); uint32_t n = c->other; vector_return(cells, i, c);
    l4->src = n;
    return !device;
  }
  if (!dchain_allocate_new_index(chain, &i, now)) return device;
  uint32_t *k; vector_borrow(keys, i, (void**)&k); *k = s; map_put(map, k, i); vector_return(keys, i, k);
  struct cell *c; vector_borrow(cells, i, (void **)&c); c->count = 0; c->time = now; c->other = i; vector_return(cells, i, c);
  return !device;
}
