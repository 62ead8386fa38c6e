// locks: checksum over an index that is taken back is stored and decides later
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint16_t id = ip->packet_id;
  ip->packet_id = index;
  uint16_t c = rte_ipv4_cksum(ip);
  ip->packet_id = id;
  struct cell *cell;
  vector_borrow(cells, index, (void **)&cell);
  uint32_t before = cell->other;
  cell->other = c;
  vector_return(cells, index, cell);
  return before & 1 ? device : !device;
}
