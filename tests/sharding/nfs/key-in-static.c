// locks: the keys of all entries are one variable, so an entry is found by the latest key, whoever put it.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  static uint32_t all;
  all = ip->src_addr;
  SOURCE_WITH(map_put(map, &all, index);)
  return !device;
}
