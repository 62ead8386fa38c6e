// shared-nothing: two arrays in one global, both by the same port.
#include "table.h"
static struct { uint64_t total_unused; uint32_t rx[65536]; uint32_t tx[65536]; } st;
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  st.rx[l4->src]++;
  if (len > 100) st.tx[l4->src] += len;
  return st.tx[l4->src] > st.rx[l4->src] * 100 ? device : !device;
}
