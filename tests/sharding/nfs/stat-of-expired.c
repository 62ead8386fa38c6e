// unknown: how many entries expired is added to the cell of the packet's port.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
    struct cell *c;
    vector_borrow(cells, l4->dst & (CAPACITY - 1), (void **)&c);
    c->count++;
    vector_return(cells, l4->dst & (CAPACITY - 1), c);
  }
  int index;
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = 1;
  vector_return(keys, index, key);
  return !device;
}
