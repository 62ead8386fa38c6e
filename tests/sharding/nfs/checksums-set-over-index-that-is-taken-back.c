// locks: the packet had the index in it when its checksums were set
#include "table.h"
void nf_set_rte_ipv4_udptcp_checksum(struct rte_ipv4_hdr *ip, void *l4, void *packet);
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE uint16_t was = ip->packet_id; ip->packet_id = index; nf_set_rte_ipv4_udptcp_checksum(ip, l4, buffer); ip->packet_id = was;
  return 1 - device;
}
