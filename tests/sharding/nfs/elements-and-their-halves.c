// shared-nothing: device 1 reads halves of the elements that device 0 writes: port p meets ports 2p and 2p + 1.
#include "table.h"
static uint8_t pool[65536*4];
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (device == 0) { ((uint32_t*)pool)[l4->src] = len; return 1; }
  return ((uint16_t*)pool)[l4->src] > 100 ? 0 : 1;
}
