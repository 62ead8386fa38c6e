// locks: nf_init puts one index into both maps, under keys that no packet has together.
#include "table.h"
static uint32_t in = 0x0100000a, out = 0x01000014;
bool nf_init(void) {
  if (!tables()) return false;
  int i;
  if (!dchain_allocate_new_index(chain, &i, 0)) return false;
  map_put(map, &in, i);
  map_put(map2, &out, i);
  struct cell *c; vector_borrow(cells, i, (void **)&c); memset(c, 0, sizeof *c); vector_return(cells, i, c);
  return true;
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t s = ip->src_addr, d = ip->dst_addr; int i;
  bool known = device == 0 ? map_get(map, &s, &i) : map_get(map2, &d, &i);
  if (!known) {
    if (device != 0 || s != d || !dchain_allocate_new_index(chain, &i, now)) return device;
    uint32_t *k; vector_borrow(keys, i, (void **)&k); *k = s; map_put(map, k, i); map_put(map2, k, i); vector_return(keys, i, k);
    struct cell *c; vector_borrow(cells, i, (void **)&c); memset(c, 0, sizeof *c); vector_return(cells, i, c);
  }
  struct cell *c; vector_borrow(cells, i, (void **)&c); c->count++; bool full = c->count > 100; vector_return(cells, i, c);
  return full ? device : !device;
}
