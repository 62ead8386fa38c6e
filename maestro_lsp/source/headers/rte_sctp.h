#pragma once
#include <rte_byteorder.h>
struct rte_sctp_hdr {
  rte_be16_t src_port;
  rte_be16_t dst_port;
  rte_be32_t tag;
  rte_be32_t cksum;
} __attribute__((__packed__));
struct sctp_hdr {
  uint16_t src_port;
  uint16_t dst_port;
  uint32_t tag;
  uint32_t cksum;
} __attribute__((__packed__));
