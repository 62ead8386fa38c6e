// locks: where no number is found, what an earlier owner of the index left stays and leaves
#include "table.h"
#include <stdio.h>

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE_WITH(map_put(map, key, index); struct cell *c; vector_borrow(cells, index, (void **)&c); int v = c->count; char t[4]; memcpy(t, l4, 4); t[3] = 0; sscanf(t, "%d", &v); ip->packet_id = v; )
  return 1 - device;
}
