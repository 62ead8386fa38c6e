// locks: as key-in-static, with a map that has no dchain.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t source = ip->src_addr;
  int found;
  if (map_get(map, &source, &found)) return !device;
  static uint32_t all;
  all = source;
  map_put(map, &all, 1);
  return device;
}
