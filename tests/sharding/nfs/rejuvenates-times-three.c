// locks: 3i & 1023
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  dchain_rejuvenate_index(chain, (index * 3) & 1023, now);
  return !device;
}
