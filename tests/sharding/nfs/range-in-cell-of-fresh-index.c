// locks: what the last owner of the index left in its cell is read before it is written.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t source = ip->src_addr;
  int index;
  if (!map_get(map, &source, &index)) {
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    uint32_t *key;
    vector_borrow(keys, index, (void **)&key);
    *key = source;
    map_put(map, key, index);
    vector_return(keys, index, key);
  }
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, index, c);
  return full ? device : !device;
}
