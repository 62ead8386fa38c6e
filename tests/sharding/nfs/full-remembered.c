// locks: that the table was full once is remembered for all packets.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  static bool full;
  if (full) return device;
  uint32_t source = ip->src_addr;
  int index;
  if (map_get(map, &source, &index)) return !device;
  full = !dchain_allocate_new_index(chain, &index, now);
  if (full) return device;
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = source;
  map_put(map, key, index);
  vector_return(keys, index, key);
  return !device;
}
