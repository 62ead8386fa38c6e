// locks: the cell was overwritten before its key is erased.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t s = ip->src_addr; int i;
  if (ip->next_proto_id == 6 && (buffer[47] & 1)) {
    if (map_get(map, &s, &i)) {
      uint32_t *key; void *trash;
      vector_borrow(keys, i, (void**)&key);
      *key = ip->dst_addr;
      map_erase(map, key, &trash);
      vector_return(keys, i, key);
      dchain_free_index(chain, i);
    }
    return !device;
  }
  SOURCE
  return !device;
}
