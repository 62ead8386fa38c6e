// locks: in the first seconds nothing expires, though entries are old
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int64_t last = now > 10 * LAG ? now - LAG : 0;
  expire_items_single_map(chain, keys, map, last);
  SOURCE
  return !device;
}
