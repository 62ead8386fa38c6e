// locks: a packet field is compared with the number of an expired index.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    uint32_t *gone;
    void *stored;
    vector_borrow(keys, old, (void **)&gone);
    map_erase(map, gone, &stored);
    if (old == l4->dst) return device;
    vector_return(keys, old, gone);
  }
  SOURCE
  return !device;
}
