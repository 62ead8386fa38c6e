// locks: two members of a union are one counter.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static union {
    uint32_t word;
    uint8_t bytes[4];
  } u;
  u.bytes[0] = ip->src_addr;
  u.word++;
  return u.word & 256 ? device : !device;
}
