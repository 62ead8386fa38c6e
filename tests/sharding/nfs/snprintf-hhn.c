// unknown: %hhn stores how many digits the index has
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16]; signed char n = 0;
  snprintf(a, 16, "%d%hhn", index, &n);
  ip->time_to_live = n;
  return !device;
}
