// shared-nothing: the loop erases what expire_items_single_map would, at the same times.
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
    vector_return(keys, old, gone);
  }
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c->count++;
  bool full = c->count > 100;
  vector_return(cells, index, c);
  return full ? device : !device;
}
