// locks: how old an entry may be is the packet's choice.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  expire_items_single_map(chain, keys, map, now - LAG - ip->total_length);
  SOURCE
  return !device;
}
