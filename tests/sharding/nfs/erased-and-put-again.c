// locks: the index moves to another key, which later packets of another source find.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  if (len == 100) {
    void *old;
    map_erase(map, &source, &old);
    uint32_t *key;
    vector_borrow(keys, index, (void **)&key);
    *key = ip->dst_addr;
    map_put(map, key, index);
    vector_return(keys, index, key);
  }
  return !device;
}
