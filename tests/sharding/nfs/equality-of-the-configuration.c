// unknown: start-up sets the mask by which keys are compared, and the mask that comparing begins with says nothing.
#include "table.h"

static uint32_t mask = 0xffffffff;
static bool masked_eq(void *a, void *b) { return (*(uint32_t *)a & mask) == (*(uint32_t *)b & mask); }

bool nf_init(void) {
  mask = 0xff;
  return tables() && map_allocate(masked_eq, addr_hash, CAPACITY, &map);
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return !device;
}
