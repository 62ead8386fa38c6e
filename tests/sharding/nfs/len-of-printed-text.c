// locks: characters printed of a text that holds the index
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16], b[16];
  snprintf(a, 16, "%d", index);
  ip->time_to_live = snprintf(b, 16, "%s", a);
  return !device;
}
