// locks: an allocation that rejuvenates the next
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE_WITH(map_put(map, key, index); dchain_rejuvenate_index(chain, index + 1, now);)
  return !device;
}
