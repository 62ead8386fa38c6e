// unknown: the key of the entry that nf_init puts is a variable that packets change.
#include "table.h"

static uint32_t host = 5;

bool nf_init(void) {
  if (!tables()) return false;
  map_put(map, &host, 1);
  return true;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t source = ip->src_addr;
  int is_host;
  bool known = map_get(map, &source, &is_host);
  if (l4->dst == 7) host = ip->dst_addr;
  return known ? device : !device;
}
