// locks: a short number leaves the end of a longer one in the buffer.
#include "table.h"
#include <stdio.h>
static char text[8];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  snprintf(text, sizeof text, "%u", l4->dst);
  return text[4] == '7' ? device : !device;
}
