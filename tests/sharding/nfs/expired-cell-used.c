// locks: what the expired entry held decides.
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
    if (*gone == 5) return device;
    vector_return(keys, old, gone);
  }
  SOURCE
  return !device;
}
