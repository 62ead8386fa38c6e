// unknown: text of an address decides
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  char t[32];
  snprintf(t, 32, "%p", (void *)cells);
  SOURCE
  return t[7] == '1' ? device : !device;
}
