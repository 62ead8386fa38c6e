// locks: cell at a configured slot is everybody's.
#include "table.h"
struct nf_config { uint32_t slot; } config;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (device == 1) {
    if (!dchain_is_index_allocated(chain, config.slot)) return device;
    struct cell *c; vector_borrow(cells, config.slot, (void**)&c); bool m = c->other == ip->src_addr; vector_return(cells, config.slot, c);
    return m ? 0 : device;
  }
  int index;
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  struct cell *c; vector_borrow(cells, index, (void**)&c); c->other = ip->dst_addr; c->count = 0; c->time = 0; vector_return(cells, index, c);
  l4->src = index;
  return 1;
}
