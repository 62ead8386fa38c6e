// shared-nothing: an index is only where an entry's key stands; what the map holds is the port.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t source = ip->src_addr;
  int port, i;
  if (map_get(map, &source, &port)) return port == l4->dst ? !device : device;
  if (!dchain_allocate_new_index(chain, &i, now)) return device;
  uint32_t *key;
  vector_borrow(keys, i, (void **)&key);
  *key = source;
  map_put(map, key, l4->dst);
  vector_return(keys, i, key);
  return !device;
}
