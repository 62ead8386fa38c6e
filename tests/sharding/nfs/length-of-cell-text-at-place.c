// locks: stale cell's length from an unknown place
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t source = ip->src_addr;
  int index;
  if (!map_get(map, &source, &index)) {
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    uint32_t *key; vector_borrow(keys, index, (void **)&key); *key = source; map_put(map, key, index); vector_return(keys, index, key);
  }
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  l4->src = strlen((char *)c + (ip->time_to_live & 3));
  c->count = ip->dst_addr;
  vector_return(cells, index, c);
  return !device;
}
