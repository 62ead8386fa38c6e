// shared-nothing: one cell, which packets to odd addresses of the upper half change on device 0 and those to 10.0.1.0/24 read on
// device 1: all of them go to one core, other packets to any
#include "table.h"
static uint32_t alarms;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  uint32_t to = __builtin_bswap32(ip->dst_addr);
  if (device == 0) {
    if ((to & 0x80000001) == 0x80000001) alarms++;
    return 1;
  }
  return to >> 8 == 0x0a0001 && alarms > 100 ? device : 0;
}
