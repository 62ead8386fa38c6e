// locks: a compound literal outside functions is a variable.
#include "table.h"
static uint32_t *count = &(uint32_t){0};
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  return (*count)++ < 100 ? !device : device;
}
