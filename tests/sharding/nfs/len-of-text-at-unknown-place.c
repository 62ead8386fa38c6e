// locks: length of the text of the index from an unknown place on
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16];
  snprintf(a, 16, "%d", index);
  ip->packet_id = strlen(a + (ip->time_to_live & 7));
  return !device;
}
