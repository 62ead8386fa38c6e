// locks: device 0's destinations are in one map and device 1's sources in another, and both lose the key when an index expires.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  uint32_t *key;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    vector_borrow(keys, old, (void **)&key);
    map_erase(map, key, NULL);
    map_erase(map2, key, NULL);
    vector_return(keys, old, key);
  }
  struct Map *mine = device ? map : map2;
  uint32_t address = device ? ip->src_addr : ip->dst_addr;
  int index;
  if (map_get(mine, &address, &index)) {
    dchain_rejuvenate_index(chain, index, now);
    return !device;
  }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  vector_borrow(keys, index, (void **)&key);
  *key = address;
  map_put(mine, key, index);
  vector_return(keys, index, key);
  return !device;
}
