// locks: the checksum of a header that an earlier packet has written leaves
#include "table.h"
static struct rte_ipv4_hdr last;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  ip->packet_id = rte_ipv4_cksum(&last); last.src_addr = ip->src_addr;
  return 1 - device;
}
