// shared-nothing: device 0 writes elements whole, device 1 reads a field of them: equal ports meet.
#include "table.h"
struct st { uint32_t a, b; };
static struct st stats[65536];
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (device == 0) { uint64_t both = ((uint64_t)len << 32) | 1; memcpy(&stats[l4->src], &both, 8); return 1; }
  return stats[l4->src].b > 100 ? 0 : 1;
}
