// unknown: which of two objects lies lower in memory decides.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  static struct cell base;
  bool lower = (uintptr_t)c < (uintptr_t)&base;
  vector_return(cells, index, c);
  return lower ? device : !device;
}
