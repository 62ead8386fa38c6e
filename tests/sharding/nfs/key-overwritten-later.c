// locks: a later packet changes the key of a living entry through its cell.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  if (len == 100) {
    uint32_t *key;
    vector_borrow(keys, index, (void **)&key);
    *key = ip->dst_addr;
    vector_return(keys, index, key);
  }
  return !device;
}
