// locks: a short word leaves the end of a longer one in the buffer.
#include "table.h"
#include <stdio.h>
static char word[9];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  char text[9];
  if (len < 62) return device;
  memcpy(text, buffer + 54, 8);
  text[8] = 0;
  sscanf(text, "%8s", word);
  return word[6] == 'x' ? device : !device;
}
