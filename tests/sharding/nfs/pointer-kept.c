// unknown: a pointer into another packet's cell is kept in a variable.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  static struct cell *kept;
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  vector_return(cells, index, c);
  if (kept && kept->count++ > 5) return device;
  kept = c;
  return !device;
}
