// locks: checksum over a static header at an unknown place
#include "table.h"
#include <stdio.h>
static struct rte_ipv4_hdr hdrs[8];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct rte_ipv4_hdr *h = &hdrs[ip->time_to_live & 7];
  ip->hdr_checksum = rte_ipv4_cksum(h);
  h->src_addr = ip->src_addr;
  return !device;
}
