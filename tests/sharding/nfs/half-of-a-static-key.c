// locks: the key is made of this packet's source and the last packet's destination.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  static uint32_t made;
  memcpy(&made, &ip->src_addr, 2);
  uint32_t source = made;
  int index;
  bool known = map_get(map, &source, &index);
  memcpy((uint8_t *)&made + 2, &ip->dst_addr, 2);
  if (known) return !device;
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = source;
  map_put(map, key, index);
  vector_return(keys, index, key);
  return device;
}
