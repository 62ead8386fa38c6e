// locks: the number of the index goes to a variable that other packets read.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  static int latest;
  SOURCE
  bool same = latest == index;
  latest = index;
  return same ? device : !device;
}
