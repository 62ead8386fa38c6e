// shared-nothing: an array by two bytes of an address.
#include "table.h"
static uint32_t seen[256][256];
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint8_t *s = (uint8_t *)&ip->src_addr;
  return ++seen[s[2]][s[3]] > 100 ? device : !device;
}
