// unknown: every core would draw a seed of its own.
#include "table.h"
static uint32_t seed;
bool nf_init(void) { seed = rand(); return tables(); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  return (ip->src_addr ^ seed) & 1 ? device : !device;
}
