// unknown: an octal digit of the index
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16]; unsigned x = 0, y = 0;
  snprintf(a, 16, "%o", index);
  sscanf(a, "%o", &x);
  ip->packet_id = x / 3;
  return !device;
}
