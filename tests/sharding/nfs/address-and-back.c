// shared-nothing: pointers are subtracted inside one object, tested for null, kept in a number and used again.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  uintptr_t n = (uintptr_t)c;
  struct cell *again = (struct cell *)n;
  again->count++;
  bool over = again->count > 100;
  vector_return(cells, index, c);
  if ((uint8_t *)l4 - buffer != 34 || (uintptr_t)l4 - (uintptr_t)buffer != 34) return device;
  if ((uint8_t*)l4 > buffer + len || !n) return device;
  return over ? device : !device;
}
