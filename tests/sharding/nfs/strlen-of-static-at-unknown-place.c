// locks: length of a static text at an unknown place
#include "table.h"
#include <stdio.h>
static char names[8][16];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  char *n = names[ip->time_to_live & 7];
  ip->packet_id = strlen(n);
  n[ip->type_of_service & 7] = ip->src_addr;
  return !device;
}
