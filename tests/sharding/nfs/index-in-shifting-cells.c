// locks: an index is stored at one place of the cell or, for others, a byte further on; a byte of it decides what happens.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint8_t *c;
  vector_borrow(cells, index, (void **)&c);
  bool even = !(c[5] & 1);
  memcpy(l4->src & 1 ? c + 4 : c + 5, &index, 4);
  vector_return(cells, index, c);
  return even ? !device : device;
}
