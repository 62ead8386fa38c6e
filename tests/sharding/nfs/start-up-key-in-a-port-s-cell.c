// unknown: the key of the entry that nf_init puts is in a cell that packets from port 3 change.
#include "table.h"

bool nf_init(void) {
  if (!tables()) return false;
  uint32_t *key;
  vector_borrow(keys, 3, (void **)&key);
  *key = 5;
  map_put(map, key, 1);
  vector_return(keys, 3, key);
  return true;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t source = ip->src_addr;
  int is_host;
  bool known = map_get(map, &source, &is_host);
  uint32_t *key;
  vector_borrow(keys, l4->src % CAPACITY, (void **)&key);
  *key = l4->src;
  vector_return(keys, l4->src % CAPACITY, key);
  return known ? device : !device;
}
