// locks: text that an earlier owner of the index has left in the cell is copied and leaves
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE_WITH(map_put(map, key, index); struct cell *c; vector_borrow(cells, index, (void **)&c); char *s = strdup((char *)c); ip->time_to_live = s[0]; free(s); )
  return 1 - device;
}
