// locks: index printed at an unknown place
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16] = {0};
  snprintf(a + (ip->time_to_live & 7), 8, "%d", index);
  return a[0] == '1' ? device : !device;
}
