// locks: a dchain without a map or a vector bounds how many packets pass in a time: no core knows how many
// passed elsewhere.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  int index;
  while (dchain_expire_one_index(chain, &index, now - LAG)) {
  }
  return dchain_allocate_new_index(chain, &index, now) ? !device : device;
}
