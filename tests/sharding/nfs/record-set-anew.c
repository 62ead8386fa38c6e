// shared-nothing: records of ports are set anew as a whole and counted in parts.
#include "table.h"
static struct cell records[65536];
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct cell *c = &records[l4->src];
  if (now - c->time > LAG) *c = (struct cell){.time = now};
  c->count++;
  c->other += len;
  return c->count > 100 || c->other > 10000 ? device : !device;
}
