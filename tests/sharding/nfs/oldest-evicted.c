// locks: a full table evicts its oldest entry, whoever's it is.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t source = ip->src_addr;
  int index;
  if (map_get(map, &source, &index)) {
    dchain_rejuvenate_index(chain, index, now);
    return !device;
  }
  if (!dchain_allocate_new_index(chain, &index, now)) {
    uint32_t *old;
    void *stored;
    dchain_expire_one_index(chain, &index, now);
    vector_borrow(keys, index, (void **)&old);
    map_erase(map, old, &stored);
    vector_return(keys, index, old);
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
  }
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = source;
  map_put(map, key, index);
  vector_return(keys, index, key);
  return !device;
}
