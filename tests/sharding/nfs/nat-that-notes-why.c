// locks: a failed check and a failed lookup are noted differently, for later packets to see.
#include "table.h"
static uint8_t why[65536];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (device == 0) {
    int index;
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    struct cell *c; vector_borrow(cells, index, (void **)&c); c->count = ip->dst_addr; c->other = ip->src_addr; c->time = 0; vector_return(cells, index, c);
    l4->src = index; return 1;
  }
  uint16_t *a = (uint16_t*)&ip->src_addr;
  if (l4->src == 7) return why[a[1]] == 2 ? 0 : 1;
  if (l4->dst >= CAPACITY || !dchain_is_index_allocated(chain, l4->dst)) { why[a[1]] = 1; return device; }
  struct cell *c; vector_borrow(cells, l4->dst, (void **)&c); bool mine = c->count == ip->src_addr; uint32_t to = c->other; vector_return(cells, l4->dst, c);
  if (!mine) { why[a[1]] = 2; return device; }
  ip->dst_addr = to; return 0;
}
