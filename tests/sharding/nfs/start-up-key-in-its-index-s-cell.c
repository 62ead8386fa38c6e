// shared-nothing: nf_init makes the first entry, as packets make the others.
#include "table.h"

bool nf_init(void) {
  int index;
  if (!tables() || !dchain_allocate_new_index(chain, &index, 0)) return false;
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = 5;
  map_put(map, key, index);
  vector_return(keys, index, key);
  return true;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return !device;
}
