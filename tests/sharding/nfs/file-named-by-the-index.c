// locks: which file is opened depends on the number of the index
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE char t[9]; snprintf(t, 9, "%d", index); if (fopen(t, "r")) return device;
  return 1 - device;
}
