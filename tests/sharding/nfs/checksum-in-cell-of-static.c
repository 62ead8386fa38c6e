// locks: checksum over a static large header beyond 64 bytes
#include "table.h"
#include <stdio.h>
static struct { struct rte_ipv4_hdr ip; uint8_t rest[100]; } h;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  ip->hdr_checksum = rte_ipv4_udptcp_cksum(&h.ip, h.rest);
  h.rest[80] = ip->src_addr;
  return !device;
}
