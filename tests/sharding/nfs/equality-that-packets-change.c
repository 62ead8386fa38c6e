// unknown: which keys are equal depends on a mask that packets set.
#include "table.h"

static uint32_t mask = 0xffffffff;
static bool masked_eq(void *a, void *b) { return ((*(uint32_t *)a ^ *(uint32_t *)b) & mask) == 0; }

bool nf_init(void) { return tables() && map_allocate(masked_eq, addr_hash, CAPACITY, &map); }

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  mask = ip->dst_addr;
  return !device;
}
