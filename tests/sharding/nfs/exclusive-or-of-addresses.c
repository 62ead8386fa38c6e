// shared-nothing: src ^ dst is the same in both directions, and a NIC can hash it.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t source = ip->src_addr ^ ip->dst_addr;
  int index;
  if (map_get(map, &source, &index)) { dchain_rejuvenate_index(chain, index, now); return !device; }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = source;
  map_put(map, key, index);
  vector_return(keys, index, key);
  return device;
}
