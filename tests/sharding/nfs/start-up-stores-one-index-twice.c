// locks: nf_init puts one index under two keys, so two sources count in one cell.
#include "table.h"
bool nf_init(void) {
  if (!tables()) return false;
  uint32_t *k; int i;
  static uint32_t a = 0x0100000a, b = 0x0200000a;
  dchain_allocate_new_index(chain, &i, 0);
  map_put(map, &a, i); map_put(map, &b, i);
  return true;
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  struct cell *c; vector_borrow(cells, index, (void **)&c); c->count++; bool full = c->count > 100; vector_return(cells, index, c);
  return full ? device : !device;
}
