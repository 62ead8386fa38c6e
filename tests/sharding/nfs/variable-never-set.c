// unknown: what stood on the stack before decides, and that may be another packet's.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  uint32_t x;
  if (ip->next_proto_id == 6) x = source;
  return x & 1 ? device : !device;
}
