// locks: the source is overwritten before it becomes the key, so all packets have one key.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  ip->src_addr = 0;
  SOURCE
  return !device;
}
