// unknown: what map_erase gives back is the key in the entry's cell, and writing there gives the cell another key.
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  if (ip->next_proto_id == 17) {
    uint32_t s = ip->src_addr; void *gone; int i;
    if (map_get(map, &s, &i)) { map_erase(map, &s, &gone); *(uint32_t *)gone = ip->dst_addr; }
    return device;
  }
  SOURCE
  struct cell *c; vector_borrow(cells, index, (void **)&c); c->count++; bool full = c->count > 100; vector_return(cells, index, c);
  return full ? device : !device;
}
