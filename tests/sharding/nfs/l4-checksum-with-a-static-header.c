// locks: the checksum that is set covers addresses of an earlier packet
#include "table.h"
void nf_set_rte_ipv4_udptcp_checksum(struct rte_ipv4_hdr *ip, void *l4, void *packet);
static struct rte_ipv4_hdr t;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  nf_set_rte_ipv4_udptcp_checksum(&t, l4, buffer); t.src_addr = ip->src_addr;
  return 1 - device;
}
