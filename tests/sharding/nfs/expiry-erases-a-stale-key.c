// locks: an index of a UDP packet has no entry, and when it expires, what an earlier owner has left in its cell is erased.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  struct cell *c;
  if (device == 0) {
    uint32_t to = ip->dst_addr;
    int index;
    bool udp = ip->next_proto_id == 17;
    if (udp || !map_get(map, &to, &index)) {
      if (!dchain_allocate_new_index(chain, &index, now)) return device;
      if (!udp) {
        uint32_t *key;
        vector_borrow(keys, index, (void **)&key);
        *key = to;
        map_put(map, key, index);
        vector_return(keys, index, key);
      }
      vector_borrow(cells, index, (void **)&c);
      c->count = to;
      c->other = ip->src_addr;
      vector_return(cells, index, c);
    }
    l4->src = index;
    return 1;
  }
  if (l4->dst >= CAPACITY || !dchain_is_index_allocated(chain, l4->dst)) return device;
  vector_borrow(cells, l4->dst, (void **)&c);
  bool mine = c->count == ip->src_addr;
  uint32_t to = c->other;
  vector_return(cells, l4->dst, c);
  if (!mine) return device;
  ip->dst_addr = to;
  return 0;
}
