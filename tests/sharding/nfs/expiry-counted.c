// locks: how many entries have expired decides.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int count = 0;
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    uint32_t *gone;
    void *stored;
    vector_borrow(keys, old, (void **)&gone);
    map_erase(map, gone, &stored);
    count++;
    vector_return(keys, old, gone);
  }
  SOURCE
  return count > 3 ? device : !device;
}
