// locks: the map keeps a pointer to a local variable: whatever stands there later is the key of all entries.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE_WITH(map_put(map, &source, index);)
  return !device;
}
