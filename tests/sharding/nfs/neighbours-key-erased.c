// locks: erases the key of the next index
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint32_t *k;
  vector_borrow(keys, (index + 1) & 1023, (void **)&k);
  ip->dst_addr = *k;
  vector_return(keys, (index + 1) & 1023, k);
  return !device;
}
