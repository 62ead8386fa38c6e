// locks: what was written through the first pointer counts, though only the second is returned.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t *a, *b; vector_borrow(keys2, 0, (void**)&a); *a += 1;
  vector_borrow(keys2, 0, (void**)&b); bool o = *b > 100; vector_return(keys2, 0, b);
  return o ? device : !device;
}
