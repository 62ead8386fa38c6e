// locks: an ICMP error belongs to the source inside it, which the NIC does not hash.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  if (len < 80) return device;
  struct rte_ether_hdr *ether = (void*)buffer;
  if (ether->ether_type != 0x0008) return device;
  struct rte_ipv4_hdr *ip = (void*)(buffer + 14);
  if (ip->version_ihl != 0x45) return device;
  EXPIRE
  if (ip->next_proto_id == 1) {
    struct rte_ipv4_hdr *inner = (void*)(buffer + 42);
    uint32_t dst = inner->src_addr; int i;
    return map_get(map, &dst, &i) ? !device : device;
  }
  if (ip->next_proto_id != 6 && ip->next_proto_id != 17) return device;
  SOURCE
  return !device;
}
