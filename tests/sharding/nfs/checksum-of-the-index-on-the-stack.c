// locks: a checksum over the index, which was never in the packet, leaves in it
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE struct rte_ipv4_hdr h; memset(&h, 0, sizeof h); h.packet_id = index; ip->packet_id = rte_ipv4_cksum(&h);
  return 1 - device;
}
