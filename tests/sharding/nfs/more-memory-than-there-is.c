// unknown: no machine has room for this block, and an analysis that keeps every byte of it has none either.
#include "table.h"
static char *block;
bool nf_init(void) { return tables() && (block = malloc(1ul << 40)); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  block[source]++;
  return block[source] > 100 ? device : !device;
}
