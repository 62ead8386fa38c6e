// unknown: half of a word is overwritten through its neighbour, and the word is read.
#include "table.h"
static uint8_t bytes[1 << 17];
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint8_t *mine = &bytes[l4->src * 2];
  *(uint32_t *)(mine + 4) += 1;
  *(uint32_t *)(mine + 2) += len;
  return *(uint32_t *)(mine + 4) > 100 ? device : !device;
}
