// locks: a counter is state, also when it is called as a variable of somebody's packet I/O.
#include "table.h"

static uint32_t global_total_length;

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  return global_total_length++ > 100 ? device : !device;
}
