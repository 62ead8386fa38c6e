// locks: asks whether the next index is taken
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return dchain_is_index_allocated(chain, (index + 1) & 1023) ? device : !device;
}
