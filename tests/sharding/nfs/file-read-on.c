// locks: each packet reads on where the last one has stopped.
#include "table.h"
#include <stdio.h>
static FILE *f;
bool nf_init(void) { f = fopen("/dev/urandom", "r"); return f && tables(); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  return fgetc(f) == 1 ? device : !device;
}
