// locks: where a number in the index's text ends
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16]; char *end = a;
  snprintf(a, 16, "%x", index);
  strtod(a, &end);
  return end == a ? device : !device;
}
