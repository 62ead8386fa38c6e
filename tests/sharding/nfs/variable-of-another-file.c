// locks: what stands in a variable that is only declared here is not known, and may make it count all packets.
#include "table.h"

extern int counting[4];

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  static uint32_t count;
  return counting[2] && ++count > 100 ? device : !device;
}
