// locks: the map keeps a pointer into a packet buffer, which the next packets use again.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE_WITH(map_put(map, &ip->src_addr, index);)
  return !device;
}
