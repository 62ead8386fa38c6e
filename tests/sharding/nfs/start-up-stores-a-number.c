// locks: nf_init puts a number that it has not allocated, and which some packet will be given.
#include "table.h"
bool nf_init(void) {
  if (!tables()) return false;
  static uint32_t a = 0x0100000a;
  map_put(map, &a, 3);
  return true;
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  struct cell *c; vector_borrow(cells, index, (void **)&c); c->count++; bool full = c->count > 100; vector_return(cells, index, c);
  return full ? device : !device;
}
