// locks: a table's dchain also bounds how many packets pass: their indices stand for nothing.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  if (ip->next_proto_id == 17) { int spent; return dchain_allocate_new_index(chain, &spent, now) ? !device : device; }
  SOURCE
  return !device;
}
