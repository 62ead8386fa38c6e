// locks: numbers leave in TCP packets only, but replies in UDP packets are looked up by their ports as well.
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
  }
  if (device == 0) {
    int index;
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    struct cell *c; vector_borrow(cells, index, (void **)&c); c->count = ip->dst_addr; c->other = ip->src_addr; vector_return(cells, index, c);
    if (ip->next_proto_id == 6) l4->src = index;
    return 1;
  }
  if (l4->dst >= CAPACITY || !dchain_is_index_allocated(chain, l4->dst)) return device;
  struct cell *c; vector_borrow(cells, l4->dst, (void **)&c); bool mine = c->count == ip->src_addr; uint32_t to = c->other; vector_return(cells, l4->dst, c);
  if (!mine) return device;
  ip->dst_addr = to;
  return 0;
}
