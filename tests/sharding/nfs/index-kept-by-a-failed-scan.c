// locks: where no number is found the index stays, and a function of it leaves
#include "table.h"
#include <stdio.h>

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE int v = index; char t[4]; memcpy(t, l4, 4); t[3] = 0; sscanf(t, "%d", &v); ip->packet_id = v / 3;
  return 1 - device;
}
