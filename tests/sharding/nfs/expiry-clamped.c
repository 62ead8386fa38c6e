// shared-nothing: before the lag has passed once, nothing is older than time zero.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int64_t last = now > LAG ? now - LAG : 0;
  expire_items_single_map(chain, keys, map, last);
  SOURCE
  return !device;
}
