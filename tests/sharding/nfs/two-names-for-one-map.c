// locks: both names mean one map, which is keyed by sources and by destinations.
#include "table.h"

bool nf_init(void) {
  bool done = tables();
  map2 = map;
  return done;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  int other;
  uint32_t destination = ip->dst_addr;
  return map_get(map2, &destination, &other) ? device : !device;
}
