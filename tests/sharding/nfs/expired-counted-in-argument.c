// unknown: how often the loop has run is what an argument beside the call was, and decides.
#include "table.h"

INIT

static int note(int *k, int n, int more) { *k = n; return more; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old, n = 0, k = 0;
  while (note(&k, n++, dchain_expire_one_index(chain, &old, now - LAG))) {
    uint32_t *key; void *stored; vector_borrow(keys, old, (void **)&key); map_erase(map, key, &stored); vector_return(keys, old, key);
  }
  SOURCE
  return k > 5 ? device : !device;
}
