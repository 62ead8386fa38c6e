// unknown: characters of an address leave
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  ip->time_to_live = printf("%p", (void *)buffer);
  return !device;
}
