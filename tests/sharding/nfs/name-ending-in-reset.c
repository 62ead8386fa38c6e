// locks: a function of the NF is not libVig's because of how its name ends.
#include "table.h"

static unsigned count;
static bool count_reset(void) {
  return ++count % 100 == 0;
}

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  return count_reset() ? device : !device;
}
