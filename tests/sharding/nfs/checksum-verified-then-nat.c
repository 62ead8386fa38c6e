// shared-nothing: checksum verified, source port is the index, checksum set
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint16_t had = ip->hdr_checksum;
  ip->hdr_checksum = 0;
  if (rte_ipv4_cksum(ip) != had) return device;
  EXPIRE
  SOURCE
  l4->src = index;
  ip->hdr_checksum = rte_ipv4_cksum(ip);
  return !device;
}
