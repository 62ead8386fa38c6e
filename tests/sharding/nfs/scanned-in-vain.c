// locks: where the payload is no number, that of an earlier packet is still there.
#include "table.h"
#include <stdio.h>
static unsigned number;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  char text[9];
  if (len < 62) return device;
  memcpy(text, buffer + 54, 8);
  text[8] = 0;
  sscanf(text, "%u", &number);
  return number == 7 ? device : !device;
}
