// locks: in UDP packets the number leaves in another field than the one by which replies are looked up.
#include "nat.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  NAT(if (ip->next_proto_id == 6) l4->src = index; else ip->packet_id = index, l4->dst < CAPACITY, l4->dst)
}
