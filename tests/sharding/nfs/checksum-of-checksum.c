// locks: a checksum over a checksum over an index that is taken back
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  uint16_t id = ip->packet_id;
  ip->packet_id = index;
  ip->hdr_checksum = rte_ipv4_cksum(ip);
  ip->packet_id = id;
  ip->dst_addr ^= 1;
  uint16_t c = rte_ipv4_cksum(ip);
  ip->hdr_checksum = 0;
  l4->src = c;
  return !device;
}
