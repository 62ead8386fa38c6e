// locks: how many digits an earlier owner of the index left leaves
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE_WITH(map_put(map, key, index); struct cell *c; vector_borrow(cells, index, (void **)&c); ip->time_to_live = printf("%d", c->count); )
  return 1 - device;
}
