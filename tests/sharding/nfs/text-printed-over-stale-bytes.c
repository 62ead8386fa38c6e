// locks: of the bytes behind the printed text, which an earlier owner of the index left, one leaves
#include "table.h"
#include <stdio.h>

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE_WITH(map_put(map, key, index); struct cell *c; vector_borrow(cells, index, (void **)&c); char t[16]; memcpy(t, c, 16); snprintf(t, 16, "x"); ip->time_to_live = t[5]; )
  return 1 - device;
}
