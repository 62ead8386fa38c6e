// locks: chain2's expiry erases from chain's map the keys that stand in chain2's cells: destinations.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  expire_items_single_map(chain2, keys2, map, now - LAG);
  SOURCE
  int j;
  if (dchain_allocate_new_index(chain2, &j, now)) {
    uint32_t *other;
    vector_borrow(keys2, j, (void **)&other); *other = ip->dst_addr; vector_return(keys2, j, other);
  }
  struct cell *c; vector_borrow(cells, index, (void**)&c); c->count++; bool over = c->count > 9; vector_return(cells, index, c);
  return over ? device : !device;
}
