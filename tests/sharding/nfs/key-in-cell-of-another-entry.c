// locks: the key of an entry stands in the cell of an index that is freed and given to another source while the entry
// lives.
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t s = ip->src_addr; int i, j; void *gone;
  if (ip->next_proto_id == 17) {
    if (map_get(map, &s, &i)) { map_erase(map, &s, &gone); dchain_free_index(chain, i); }
    return device;
  }
  if (!map_get(map, &s, &i)) {
    if (!dchain_allocate_new_index(chain, &i, now)) return device;
    if (!dchain_allocate_new_index(chain2, &j, now)) { dchain_free_index(chain, i); return device; }
    uint32_t *k; vector_borrow(keys, i, (void **)&k); *k = s; map_put(map, k, i); map_put(map2, k, j); vector_return(keys, i, k);
    struct cell *c; vector_borrow(cells, j, (void **)&c); memset(c, 0, sizeof *c); vector_return(cells, j, c);
    return !device;
  }
  if (!map_get(map2, &s, &j)) return device;
  struct cell *c; vector_borrow(cells, j, (void **)&c); c->count++; bool full = c->count > 9; vector_return(cells, j, c);
  return full ? device : !device;
}
