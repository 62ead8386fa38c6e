#pragma once
#include <rte_ether.h>
#define RTE_ARP_HRD_ETHER 1
#define RTE_ARP_OP_REQUEST 1
#define RTE_ARP_OP_REPLY 2
#define RTE_ARP_OP_REVREQUEST 3
#define RTE_ARP_OP_REVREPLY 4
#define ARP_HRD_ETHER 1
#define ARP_OP_REQUEST 1
#define ARP_OP_REPLY 2
struct rte_arp_ipv4 {
  struct rte_ether_addr arp_sha;
  rte_be32_t arp_sip;
  struct rte_ether_addr arp_tha;
  rte_be32_t arp_tip;
} __attribute__((__packed__)) __attribute__((aligned(2)));
struct rte_arp_hdr {
  union {
    rte_be16_t arp_hardware;
    rte_be16_t arp_hrd;
  };
  union {
    rte_be16_t arp_protocol;
    rte_be16_t arp_pro;
  };
  union {
    uint8_t arp_hlen;
    uint8_t arp_hln;
  };
  union {
    uint8_t arp_plen;
    uint8_t arp_pln;
  };
  union {
    rte_be16_t arp_opcode;
    rte_be16_t arp_op;
  };
  struct rte_arp_ipv4 arp_data;
} __attribute__((__packed__)) __attribute__((aligned(2)));
struct arp_ipv4 {
  struct ether_addr arp_sha;
  uint32_t arp_sip;
  struct ether_addr arp_tha;
  uint32_t arp_tip;
} __attribute__((__packed__)) __attribute__((aligned(2)));
struct arp_hdr {
  uint16_t arp_hrd;
  uint16_t arp_pro;
  uint8_t arp_hln;
  uint8_t arp_pln;
  uint16_t arp_op;
  struct arp_ipv4 arp_data;
} __attribute__((__packed__)) __attribute__((aligned(2)));
