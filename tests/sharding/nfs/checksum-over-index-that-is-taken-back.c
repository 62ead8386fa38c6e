// locks: the packet had the index in it when its checksum was made, and the checksum leaves
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE uint16_t was = ip->packet_id; ip->packet_id = index; ip->hdr_checksum = rte_ipv4_cksum(ip); ip->packet_id = was;
  return 1 - device;
}
