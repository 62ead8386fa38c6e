// locks: where the header has one word of options, what follows its first 20 bytes is that word and no ports, on all its packets.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  struct rte_ether_hdr *ether;
  struct rte_ipv4_hdr *ip;
  struct ports *l4;
  if (len < 46) return device;
  packet_borrow_next_chunk(buffer, 14, (void **)&ether);
  if (ether->ether_type != 0x0008) return device;
  packet_borrow_next_chunk(buffer, 20, (void **)&ip);
  if (ip->version_ihl != 0x46 || ip->next_proto_id != 6) return device;
  packet_borrow_next_chunk(buffer, 4, (void **)&l4);
  static uint32_t counts[65536];
  return ++counts[l4->src] > 100 ? device : !device;
}
