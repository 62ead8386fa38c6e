// locks: checksum over an index that is taken back decides
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  uint16_t id = ip->packet_id;
  ip->packet_id = index;
  uint16_t c = rte_ipv4_cksum(ip);
  ip->packet_id = id;
  return c & 1 ? device : !device;
}
