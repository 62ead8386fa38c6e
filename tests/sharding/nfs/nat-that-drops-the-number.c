// locks: the index is written into packets that are dropped, so none leaves.
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
  }
  if (device == 0) {
    int index;
    if (!dchain_allocate_new_index(chain, &index, now)) return 1;
    struct cell *c; vector_borrow(cells, index, (void **)&c); c->count = ip->dst_addr; c->other = ip->src_addr; vector_return(cells, index, c);
    l4->src = index;
    return device;
  }
  if (l4->dst >= CAPACITY || !dchain_is_index_allocated(chain, l4->dst)) return device;
  struct cell *c; vector_borrow(cells, l4->dst, (void **)&c); bool mine = c->count == ip->src_addr; uint32_t to = c->other; vector_return(cells, l4->dst, c);
  if (!mine) return device;
  ip->dst_addr = to;
  return 0;
}
