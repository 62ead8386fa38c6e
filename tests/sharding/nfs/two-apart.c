// locks: cells 2i + 2 (16 bits) and 2i, all of them written first
#include "table.h"
#include <stdio.h>
static struct Vector *wide;
bool nf_init(void) { return tables() && vector_allocate(sizeof(struct cell), CAPACITY * 2 + 2, cell_clear, &wide); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE_WITH(map_put(map, key, index);
    struct cell *n; vector_borrow(wide, index, (void **)&n); n->count = n->other = n->time = 0; vector_return(wide, index, n);)
  struct cell *c;
  vector_borrow(wide, (uint16_t)(index * 2 + 2), (void **)&c);
  ip->packet_id = c->count++;
  vector_return(wide, (uint16_t)(index * 2 + 2), c);
  return !device;
}
