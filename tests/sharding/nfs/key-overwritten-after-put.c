// locks: the entry is found by the destination that its cell holds in the end, not by the source it was put
// with.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE_WITH(map_put(map, key, index); *key = ip->dst_addr;)
  return !device;
}
