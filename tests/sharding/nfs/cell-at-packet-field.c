// locks: cells are reached by the source's index and by the destination's low bits.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, ip->dst_addr & (CAPACITY - 1), (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, ip->dst_addr & (CAPACITY - 1), c);
  return full ? device : !device;
}
