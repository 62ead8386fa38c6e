// locks: whether a file is there an earlier packet has decided
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  FILE *f = fopen("seen", "r");
  if (f) { fclose(f); return device; }
  f = fopen("seen", "w");
  if (f) fclose(f);
  return !device;
}
