// unknown: the ports are zeroed where they stand without options, then read behind the header's length: the key
// may be zero for all packets.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  if (len < 60) return device;
  struct rte_ether_hdr *ether = (void*)buffer;
  if (ether->ether_type != 0x0008) return device;
  struct rte_ipv4_hdr *ip = (void*)(buffer + 14);
  if (ip->next_proto_id != 17) return device;
  EXPIRE
  *(uint16_t *)(buffer + 34) = 0;
  *(uint16_t *)(buffer + 36) = 0;
  struct ports *l4 = (void *)((uint8_t *)ip + (ip->version_ihl & 15) * 4);
  uint32_t source = l4->src;
  int index;
  if (map_get(map, &source, &index)) { dchain_rejuvenate_index(chain, index, now); return !device; }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  uint32_t *key;
  vector_borrow(keys, index, (void **)&key);
  *key = source;
  map_put(map, key, index);
  vector_return(keys, index, key);
  return device;
}
