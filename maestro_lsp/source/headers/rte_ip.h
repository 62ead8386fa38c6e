// IPv4 and IPv6.
#pragma once
#include <netinet/in.h>
#include <rte_byteorder.h>
#define IPVERSION 4
#define RTE_IPV4(a, b, c, d) \
  ((uint32_t)(((a) & 0xff) << 24) | (((b) & 0xff) << 16) | (((c) & 0xff) << 8) | ((d) & 0xff))
#define IPv4(a, b, c, d) RTE_IPV4(a, b, c, d)
#define RTE_IPV4_MAX_PKT_LEN 65535
#define RTE_IPV4_HDR_IHL_MASK (0x0f)
#define RTE_IPV4_IHL_MULTIPLIER (4)
#define RTE_IPV4_HDR_DSCP_MASK (0xfc)
#define RTE_IPV4_HDR_ECN_MASK (0x03)
#define RTE_IPV4_HDR_DF_SHIFT 14
#define RTE_IPV4_HDR_MF_SHIFT 13
#define RTE_IPV4_HDR_FO_SHIFT 3
#define RTE_IPV4_HDR_DF_FLAG (1 << RTE_IPV4_HDR_DF_SHIFT)
#define RTE_IPV4_HDR_MF_FLAG (1 << RTE_IPV4_HDR_MF_SHIFT)
#define RTE_IPV4_HDR_OFFSET_MASK ((1 << RTE_IPV4_HDR_MF_SHIFT) - 1)
#define RTE_IPV4_HDR_OFFSET_UNITS 8
#define RTE_IPV4_ANY ((uint32_t)0x00000000)
#define RTE_IPV4_LOOPBACK ((uint32_t)0x7f000001)
#define RTE_IPV4_BROADCAST ((uint32_t)0xe0000000)
#define RTE_IPV4_MIN_MCAST RTE_IPV4(224, 0, 0, 0)
#define RTE_IPV4_MAX_MCAST RTE_IPV4(239, 255, 255, 255)
#define RTE_IS_IPV4_MCAST(x) ((x) >= RTE_IPV4_MIN_MCAST && (x) <= RTE_IPV4_MAX_MCAST)
#define RTE_IPV4_MIN_IHL (0x5)
#define RTE_IPV4_VHL_DEF ((IPVERSION << 4) | RTE_IPV4_MIN_IHL)
#define RTE_IPV6_ADDR_SIZE 16
#define RTE_IPV6_HDR_TC_SHIFT 20
#define RTE_IPV6_HDR_FL_MASK ((1u << RTE_IPV6_HDR_TC_SHIFT) - 1)
#define RTE_IPV6_HDR_TC_MASK (0xff << RTE_IPV6_HDR_TC_SHIFT)
#define RTE_IPV6_EHDR_MF_MASK 1
#define RTE_IPV6_EHDR_FO_SHIFT 3
#define RTE_IPV6_EHDR_FO_MASK (~((1 << RTE_IPV6_EHDR_FO_SHIFT) - 1))
#define RTE_IPV6_MIN_MTU 1280
struct rte_ipv4_hdr {
  union {
    uint8_t version_ihl;
    struct {
      uint8_t ihl : 4;
      uint8_t version : 4;
    };
  };
  uint8_t type_of_service;
  rte_be16_t total_length;
  rte_be16_t packet_id;
  rte_be16_t fragment_offset;
  uint8_t time_to_live;
  uint8_t next_proto_id;
  rte_be16_t hdr_checksum;
  rte_be32_t src_addr;
  rte_be32_t dst_addr;
} __attribute__((__packed__));
struct ipv4_hdr {
  uint8_t version_ihl;
  uint8_t type_of_service;
  uint16_t total_length;
  uint16_t packet_id;
  uint16_t fragment_offset;
  uint8_t time_to_live;
  uint8_t next_proto_id;
  uint16_t hdr_checksum;
  uint32_t src_addr;
  uint32_t dst_addr;
} __attribute__((__packed__));
struct rte_ipv6_hdr {
  rte_be32_t vtc_flow;
  rte_be16_t payload_len;
  uint8_t proto;
  uint8_t hop_limits;
  uint8_t src_addr[16];
  uint8_t dst_addr[16];
} __attribute__((__packed__));
struct ipv6_hdr {
  uint32_t vtc_flow;
  uint16_t payload_len;
  uint8_t proto;
  uint8_t hop_limits;
  uint8_t src_addr[16];
  uint8_t dst_addr[16];
} __attribute__((__packed__));
struct rte_ipv6_fragment_ext {
  uint8_t next_header;
  uint8_t reserved;
  rte_be16_t frag_data;
  rte_be32_t id;
} __attribute__((__packed__));
static inline uint8_t rte_ipv4_hdr_len(const struct rte_ipv4_hdr *header) {
  return (uint8_t)((header->version_ihl & 0x0f) * 4);
}
uint16_t rte_raw_cksum(const void *data, size_t size);
uint16_t rte_ipv4_cksum(const struct rte_ipv4_hdr *header);
uint16_t rte_ipv4_phdr_cksum(const struct rte_ipv4_hdr *header, uint64_t flags);
uint16_t rte_ipv4_udptcp_cksum(const struct rte_ipv4_hdr *header, const void *l4_header);
int rte_ipv4_udptcp_cksum_verify(const struct rte_ipv4_hdr *header, const void *l4_header);
uint16_t rte_ipv6_phdr_cksum(const struct rte_ipv6_hdr *header, uint64_t flags);
uint16_t rte_ipv6_udptcp_cksum(const struct rte_ipv6_hdr *header, const void *l4_header);
