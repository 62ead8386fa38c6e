// locks: cell 3 belongs to all packets.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, 3, (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, 3, c);
  return full ? device : !device;
}
