// locks: a counter of packets whose number has three digits decides
#include "table.h"
#include <stdio.h>
static uint32_t counter;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  char a[16]; char *end;
  snprintf(a, 16, "%d", ip->packet_id);
  strtol(a, &end, 10);
  if (end - a == 3) { counter++; return counter & 1 ? device : !device; }
  return !device;
}
