// shared-nothing: an array of twelve-byte elements by a port: equal offsets are equal ports.
#include "table.h"
struct st { uint32_t a, b, c; };
static struct st stats[65536];
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct st *s = &stats[l4->src];
  s->a++; s->b += len;
  return s->b > 10000 ? device : !device;
}
