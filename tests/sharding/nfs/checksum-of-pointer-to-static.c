// locks: checksum over what l4 points to
#include "table.h"
#include <stdio.h>
static uint8_t rest[100];
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  ip->hdr_checksum = rte_ipv4_udptcp_cksum(ip, rest);
  rest[80] = ip->src_addr;
  return !device;
}
