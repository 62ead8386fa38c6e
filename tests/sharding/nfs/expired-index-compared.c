// locks: which number is free again is the core's own affair.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old, latest = -1;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    uint32_t *gone;
    void *stored;
    vector_borrow(keys, old, (void **)&gone);
    map_erase(map, gone, &stored);
    latest = old;
    vector_return(keys, old, gone);
  }
  SOURCE
  return index == latest ? device : !device;
}
