// locks: the number of an index is printed, and its first digit decides.
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char text[16];
  snprintf(text, sizeof text, "%d", index);
  return text[0] == '1' ? device : !device;
}
