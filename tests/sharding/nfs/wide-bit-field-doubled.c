// unknown: gcc doubles a bit-field of 40 bits in 40 bits and counts all packets, other compilers in 64.
#include "table.h"

struct quota {
  uint64_t bytes : 40;
};

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static int count;
  struct quota quota = {1ull << 39};
  if (quota.bytes * 2 == 0 && ++count > 100) return device;
  return !device;
}
