// locks: a part of the index leaves in the tag that the NIC inserts.
#include "table.h"
#include <rte_mbuf.h>

INIT
int nf_process(uint16_t device, uint8_t **packet, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  uint8_t *buffer = *packet;
  PARSE
  EXPIRE
  SOURCE
  mbuf->vlan_tci = index & 3;
  mbuf->ol_flags |= 1ull << 57;
  return !device;
}
