// locks: the checksum of a header on the stack and the packet with the index decides
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  struct rte_ipv4_hdr h = *ip;
  l4->src = index;
  return rte_ipv4_udptcp_cksum(&h, l4) & 1 ? device : !device;
}
