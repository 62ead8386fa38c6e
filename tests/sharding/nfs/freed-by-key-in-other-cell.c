// locks: the key that is erased is another than the one that led to the entry.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t s = ip->src_addr; int i;
  if (ip->next_proto_id == 6 && (buffer[47] & 1)) {
    if (map_get(map, &s, &i)) {
      uint32_t *key; void *trash;
      vector_borrow(keys2, i, (void**)&key);
      map_erase(map, key, &trash);
      vector_return(keys2, i, key);
      dchain_free_index(chain, i);
    }
    return !device;
  }
  SOURCE_WITH(map_put(map, key, index); uint32_t *k2; vector_borrow(keys2, index, (void**)&k2); *k2 = ip->dst_addr; vector_return(keys2, index, k2);)
  return !device;
}
