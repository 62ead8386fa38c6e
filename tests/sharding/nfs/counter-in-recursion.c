// locks: a static variable of a function that calls itself.
#include "table.h"

static int depth(int n) {
  static int calls;
  calls++;
  return n ? depth(n - 1) : calls;
}

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  return depth(2) > 100 ? device : !device;
}
