// locks: each packet expires one entry at most, so when an entry goes depends on how many packets came.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  if (dchain_expire_one_index(chain, &old, now - LAG)) {
    uint32_t *key;
    vector_borrow(keys, old, (void **)&key);
    void *stored;
    map_erase(map, key, &stored);
    vector_return(keys, old, key);
  }
  SOURCE
  return !device;
}
