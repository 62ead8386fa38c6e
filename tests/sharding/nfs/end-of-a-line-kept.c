// locks: a shorter text leaves the end of an earlier packet's in a static line, where it is looked at
#include "table.h"
#include <stdio.h>
static char line[64];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  snprintf(line, sizeof line, "%u", (unsigned)ip->src_addr);
  if (line[12] == 0) return device;
  return 1 - device;
}
