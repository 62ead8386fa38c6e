// locks: the key of an entry is freed, and the next packet's may stand there.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t source = ip->src_addr;
  int n;
  if (map_get(map, &source, &n)) return !device;
  uint32_t *key = malloc(4);
  *key = source;
  map_put(map, key, 1);
  free(key);
  return device;
}
