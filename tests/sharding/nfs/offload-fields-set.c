// shared-nothing: asks the NIC for a checksum; the bits beside the fields that it sets stay what they were.
#include "table.h"
#include <rte_mbuf.h>

INIT

int nf_process(uint16_t device, uint8_t **packet, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  uint8_t *buffer = *packet;
  PARSE
  EXPIRE
  SOURCE
  mbuf->l2_len = 14;
  mbuf->l3_len = 20;
  mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
  return !device;
}
