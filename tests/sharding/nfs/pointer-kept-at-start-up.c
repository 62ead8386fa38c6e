// locks: start-up keeps a pointer into a cell, so every packet reaches it.
#include "table.h"

static uint32_t *secret;

bool nf_init(void) {
  if (!tables()) return false;
  vector_borrow(keys2, 0, (void **)&secret);
  vector_return(keys2, 0, secret);
  return true;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return (*secret)++ > 5 ? device : !device;
}
