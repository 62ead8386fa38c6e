// locks: an entry of map2 under k goes when k's entry as a destination expires.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  expire_items_single_map(chain, keys2, map, now - LAG);
  uint32_t source = ip->src_addr;
  int known;
  if (map_get(map, &source, &known)) return !device;
  int index;
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  uint32_t *key, *other;
  vector_borrow(keys, index, (void **)&key); *key = source; map_put(map, key, 1); vector_return(keys, index, key);
  vector_borrow(keys2, index, (void **)&other); *other = ip->dst_addr; vector_return(keys2, index, other);
  return device;
}
