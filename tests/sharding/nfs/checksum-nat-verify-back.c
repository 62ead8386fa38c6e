// shared-nothing: checks a packet, translates its source, sets its checksum
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint16_t sum = ip->hdr_checksum;
  ip->hdr_checksum = 0;
  uint16_t is = rte_ipv4_cksum(ip);
  if (sum != is) { ip->hdr_checksum = sum; return device; }
  EXPIRE
  SOURCE
  l4->src = index;
  ip->src_addr = 0x0100007f;
  ip->hdr_checksum = 0;
  ip->hdr_checksum = rte_ipv4_cksum(ip);
  return !device;
}
