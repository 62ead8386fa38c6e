#pragma once
#include <rte_byteorder.h>
#define RTE_IP_ICMP_ECHO_REPLY 0
#define RTE_IP_ICMP_ECHO_REQUEST 8
#define RTE_ICMP_TYPE_ECHO_REPLY 0
#define RTE_ICMP_TYPE_DEST_UNREACHABLE 3
#define RTE_ICMP_TYPE_REDIRECT 5
#define RTE_ICMP_TYPE_ECHO_REQUEST 8
#define RTE_ICMP_TYPE_TTL_EXCEEDED 11
#define RTE_ICMP6_ECHO_REQUEST 128
#define RTE_ICMP6_ECHO_REPLY 129
struct rte_icmp_hdr {
  uint8_t icmp_type;
  uint8_t icmp_code;
  rte_be16_t icmp_cksum;
  rte_be16_t icmp_ident;
  rte_be16_t icmp_seq_nb;
} __attribute__((__packed__));
struct icmp_hdr {
  uint8_t icmp_type;
  uint8_t icmp_code;
  uint16_t icmp_cksum;
  uint16_t icmp_ident;
  uint16_t icmp_seq_nb;
} __attribute__((__packed__));
