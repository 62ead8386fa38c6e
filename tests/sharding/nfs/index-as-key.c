// locks: the number of an index is what each core chooses, and here it is the key of another map.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint32_t number = index;
  int found;
  if (map_get(map2, &number, &found)) return !device;
  uint32_t *key;
  vector_borrow(keys2, index, (void **)&key);
  *key = number;
  map_put(map2, key, index);
  vector_return(keys2, index, key);
  return device;
}
