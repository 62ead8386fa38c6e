// locks: where the check fails, the entry leaves in the packet; where the lookup fails, another cell does.
#include "table.h"
static struct Vector *v16;
bool nf_init(void) { return tables() && vector_allocate(4, 65536, addr_clear, &v16); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (device == 0) {
    int index;
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    struct cell *c; vector_borrow(cells, index, (void **)&c); c->count = ip->dst_addr; c->other = ip->src_addr; c->time = 0; vector_return(cells, index, c);
    l4->src = index; return 1;
  }
  uint16_t *a = (uint16_t*)&ip->src_addr; uint32_t *x;
  if (l4->src == 7) { vector_borrow(v16, a[1], (void**)&x); *x = len; vector_return(v16, a[1], x); return 1; }
  if (l4->dst >= CAPACITY) return device;
  if (!dchain_is_index_allocated(chain, l4->dst)) { vector_borrow(v16, a[1], (void**)&x); ip->dst_addr = *x; vector_return(v16, a[1], x); return 0; }
  struct cell *c; vector_borrow(cells, l4->dst, (void **)&c); bool mine = c->count == ip->src_addr; uint32_t to = c->other, first = c->count; vector_return(cells, l4->dst, c);
  if (!mine) { ip->dst_addr = first; return 0; }
  ip->dst_addr = to; ip->time_to_live = 3; return 0;
}
