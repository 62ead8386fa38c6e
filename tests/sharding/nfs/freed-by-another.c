// locks: a packet frees the entry of its destination, which other packets put.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint32_t destination = ip->dst_addr;
  int other;
  if (len == 100 && map_get(map, &destination, &other)) {
    void *stored;
    map_erase(map, &destination, &stored);
    dchain_free_index(chain, other);
  }
  return !device;
}
