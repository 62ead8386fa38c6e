// shared-nothing: the variable is the same after each round on both devices
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  uint16_t out = device;
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    uint32_t *key;
    vector_borrow(keys, old, (void **)&key);
    map_erase(map, key, (void **)&key);
    vector_return(keys, old, key);
    out &= 1;
  }
  PARSE
  SOURCE
  return out;
}
