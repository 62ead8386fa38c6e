// locks: rand() walks through one sequence for the whole process.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return rand() % 2 ? device : !device;
}
