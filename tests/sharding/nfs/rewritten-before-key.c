// shared-nothing: the key is the destination that arrived, wherever the packet carries it now.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  uint32_t arrived = ip->dst_addr;
  ip->dst_addr = ip->src_addr;
  ip->src_addr = arrived;
  SOURCE
  return !device;
}
