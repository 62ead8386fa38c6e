// locks: cells i and 5 i & 1023
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  struct cell *c;
  int at = (index * 5) & (CAPACITY - 1);
  vector_borrow(cells, at, (void **)&c);
  ip->packet_id = c->count++;
  vector_return(cells, at, c);
  return !device;
}
