// locks: how many digits the index has leaves
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE ip->time_to_live = printf("%d", index);
  return 1 - device;
}
