// locks: one array, by sources and by destinations.
#include "table.h"

static uint32_t t[512];
INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t i = ip->next_proto_id == 6 ? (ip->src_addr >> 24) + 255 : (ip->dst_addr >> 24);
  return ++t[i] > 100  ? device : !device;
}
