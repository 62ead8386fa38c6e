// unknown: how many characters an earlier packet's length had decides
#include "table.h"
#include <stdio.h>
static int t;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  char b[9]; if (t == 2) return device; snprintf(b, 9, "%d%n", len, &t);
  return 1 - device;
}
