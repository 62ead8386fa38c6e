// locks: a function of the index, which stands behind the printed text, leaves
#include "table.h"
#include <stdio.h>

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE char t[16]; memset(t, 0, 16); memcpy(t + 4, &index, 4); snprintf(t, 16, "x"); ip->packet_id = *(uint16_t *)(t + 4) / 3;
  return 1 - device;
}
