// locks: indices expire, but their keys stay in the map.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    uint32_t *gone;
    void *stored;
    vector_borrow(keys, old, (void **)&gone);
    
    vector_return(keys, old, gone);
  }
  SOURCE
  return !device;
}
