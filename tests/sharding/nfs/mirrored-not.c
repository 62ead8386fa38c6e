// locks: cells i and ~i & 1023
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  struct cell *c;
  vector_borrow(cells, ~index & 1023, (void **)&c);
  ip->packet_id = c->count++;
  vector_return(cells, ~index & 1023, c);
  return !device;
}
