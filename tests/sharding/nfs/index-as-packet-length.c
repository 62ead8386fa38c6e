// locks: how long the packet is that leaves depends on the number of the index.
#include "table.h"
#include <rte_mbuf.h>

INIT
int nf_process(uint16_t device, uint8_t **packet, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  uint8_t *buffer = *packet;
  PARSE
  EXPIRE
  SOURCE
  mbuf->pkt_len = 60 + (index & 3);
  mbuf->data_len = 60 + (index & 3);
  return !device;
}
