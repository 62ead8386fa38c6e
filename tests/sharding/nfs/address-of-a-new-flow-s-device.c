// locks: an earlier owner of the index chose the device whose address leaves
#include "table.h"
int rte_eth_macaddr_get(uint16_t, void *);
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE_WITH(map_put(map, key, index); struct cell *c; vector_borrow(cells, index, (void **)&c); uint8_t m[6]; rte_eth_macaddr_get(c->count, m); ip->time_to_live = m[5]; )
  return 1 - device;
}
