// unknown: where a cell lies in memory leaves in the packet.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  ip->dst_addr = (uint32_t)(uintptr_t)c;
  vector_return(cells, index, c);
  return !device;
}
