// locks: the number of an index is compared with a packet field that happens to be an index of something else.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  uint32_t p = ip->src_addr & 1023;
  uint32_t *n; vector_borrow(keys2, p, (void**)&n); *n += 1; vector_return(keys2, p, n);
  return (uint32_t)index == p ? device : !device;
}
