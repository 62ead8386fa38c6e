// locks: only neighbours of a second vector, written by all at index
#include "table.h"
#include <stdio.h>
static struct Vector *wide;
bool nf_init(void) { return tables() && vector_allocate(4, CAPACITY, addr_clear, &wide); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE_WITH(map_put(map, key, index); uint32_t *n; vector_borrow(wide, index, (void **)&n); *n = 0; vector_return(wide, index, n);)
  uint32_t *c;
  vector_borrow(wide, ~index & 1023, (void **)&c);
  ip->packet_id = *c;
  vector_return(wide, ~index & 1023, c);
  vector_borrow(wide, index, (void **)&c);
  *c += 1;
  vector_return(wide, index, c);
  return !device;
}
