// Ethernet. Names of DPDK 22.11 and 20.11 (d_addr, s_addr) and of releases before 19.08 (no rte_), on the
// same bytes.
#pragma once
#include <rte_byteorder.h>
#define RTE_ETHER_ADDR_LEN 6
#define RTE_ETHER_TYPE_LEN 2
#define RTE_ETHER_CRC_LEN 4
#define RTE_ETHER_HDR_LEN 14
#define RTE_ETHER_MIN_LEN 64
#define RTE_ETHER_MAX_LEN 1518
#define RTE_ETHER_MTU 1500
#define RTE_VLAN_HLEN 4
#define RTE_ETHER_MAX_VLAN_FRAME_LEN 1522
#define RTE_ETHER_MAX_JUMBO_FRAME_LEN 0x3F00
#define RTE_ETHER_MAX_VLAN_ID 4095
#define RTE_ETHER_MIN_MTU 68
#define RTE_ETHER_LOCAL_ADMIN_ADDR 0x02
#define RTE_ETHER_GROUP_ADDR 0x01
#define RTE_ETHER_TYPE_IPV4 0x0800
#define RTE_ETHER_TYPE_IPV6 0x86DD
#define RTE_ETHER_TYPE_ARP 0x0806
#define RTE_ETHER_TYPE_RARP 0x8035
#define RTE_ETHER_TYPE_VLAN 0x8100
#define RTE_ETHER_TYPE_QINQ 0x88A8
#define RTE_ETHER_TYPE_PPPOE_DISCOVERY 0x8863
#define RTE_ETHER_TYPE_PPPOE_SESSION 0x8864
#define RTE_ETHER_TYPE_ETAG 0x893F
#define RTE_ETHER_TYPE_1588 0x88F7
#define RTE_ETHER_TYPE_SLOW 0x8809
#define RTE_ETHER_TYPE_TEB 0x6558
#define RTE_ETHER_TYPE_LLDP 0x88CC
#define RTE_ETHER_TYPE_MPLS 0x8847
#define RTE_ETHER_TYPE_MPLSM 0x8848
#define RTE_ETHER_TYPE_ECPRI 0xAEFE
#define RTE_ETHER_ADDR_PRT_FMT "%02X:%02X:%02X:%02X:%02X:%02X"
#define RTE_ETHER_ADDR_BYTES(mac) \
  ((mac)->addr_bytes[0]), ((mac)->addr_bytes[1]), ((mac)->addr_bytes[2]), ((mac)->addr_bytes[3]), \
      ((mac)->addr_bytes[4]), ((mac)->addr_bytes[5])
#define RTE_ETHER_ADDR_FMT_SIZE 18
#define ETHER_ADDR_LEN 6
#define ETHER_TYPE_LEN 2
#define ETHER_CRC_LEN 4
#define ETHER_HDR_LEN 14
#define ETHER_MIN_LEN 64
#define ETHER_MAX_LEN 1518
#define ETHER_MTU 1500
#define ETHER_TYPE_IPv4 0x0800
#define ETHER_TYPE_IPv6 0x86DD
#define ETHER_TYPE_ARP 0x0806
#define ETHER_TYPE_RARP 0x8035
#define ETHER_TYPE_VLAN 0x8100
#define ETHER_TYPE_QINQ 0x88A8
struct rte_ether_addr {
  uint8_t addr_bytes[6];
} __attribute__((aligned(2)));
struct ether_addr {
  union {
    uint8_t addr_bytes[6];
    uint8_t ether_addr_octet[6];
  };
} __attribute__((aligned(2)));
struct rte_ether_hdr {
  union {
    struct rte_ether_addr dst_addr;
    struct rte_ether_addr d_addr;
  };
  union {
    struct rte_ether_addr src_addr;
    struct rte_ether_addr s_addr;
  };
  rte_be16_t ether_type;
} __attribute__((aligned(2)));
struct ether_hdr {
  struct ether_addr d_addr;
  struct ether_addr s_addr;
  uint16_t ether_type;
} __attribute__((aligned(2)));
struct rte_vlan_hdr {
  rte_be16_t vlan_tci;
  rte_be16_t eth_proto;
} __attribute__((__packed__));
struct vlan_hdr {
  uint16_t vlan_tci;
  uint16_t eth_proto;
} __attribute__((__packed__));
static inline int rte_is_same_ether_addr(const struct rte_ether_addr *a, const struct rte_ether_addr *b) {
  return a->addr_bytes[0] == b->addr_bytes[0] && a->addr_bytes[1] == b->addr_bytes[1] &&
         a->addr_bytes[2] == b->addr_bytes[2] && a->addr_bytes[3] == b->addr_bytes[3] &&
         a->addr_bytes[4] == b->addr_bytes[4] && a->addr_bytes[5] == b->addr_bytes[5];
}
static inline int rte_is_zero_ether_addr(const struct rte_ether_addr *a) {
  return (a->addr_bytes[0] | a->addr_bytes[1] | a->addr_bytes[2] | a->addr_bytes[3] | a->addr_bytes[4] |
          a->addr_bytes[5]) == 0;
}
static inline int rte_is_unicast_ether_addr(const struct rte_ether_addr *a) {
  return (a->addr_bytes[0] & 0x01) == 0;
}
static inline int rte_is_multicast_ether_addr(const struct rte_ether_addr *a) {
  return a->addr_bytes[0] & 0x01;
}
static inline int rte_is_broadcast_ether_addr(const struct rte_ether_addr *a) {
  return (a->addr_bytes[0] & a->addr_bytes[1] & a->addr_bytes[2] & a->addr_bytes[3] & a->addr_bytes[4] &
          a->addr_bytes[5]) == 0xff;
}
static inline int rte_is_universal_ether_addr(const struct rte_ether_addr *a) {
  return (a->addr_bytes[0] & 0x02) == 0;
}
static inline int rte_is_local_admin_ether_addr(const struct rte_ether_addr *a) {
  return (a->addr_bytes[0] & 0x02) != 0;
}
static inline int rte_is_valid_assigned_ether_addr(const struct rte_ether_addr *a) {
  return rte_is_unicast_ether_addr(a) && !rte_is_zero_ether_addr(a);
}
static inline void rte_ether_addr_copy(const struct rte_ether_addr *from, struct rte_ether_addr *to) { *to = *from; }
static inline int is_same_ether_addr(const struct ether_addr *a, const struct ether_addr *b) {
  return rte_is_same_ether_addr((const struct rte_ether_addr *)a, (const struct rte_ether_addr *)b);
}
static inline int is_broadcast_ether_addr(const struct ether_addr *a) {
  return rte_is_broadcast_ether_addr((const struct rte_ether_addr *)a);
}
static inline int is_multicast_ether_addr(const struct ether_addr *a) { return a->addr_bytes[0] & 1; }
static inline void ether_addr_copy(const struct ether_addr *from, struct ether_addr *to) { *to = *from; }
void rte_eth_random_addr(uint8_t *address);
void rte_ether_format_addr(char *to, uint16_t size, const struct rte_ether_addr *address);
int rte_ether_unformat_addr(const char *text, struct rte_ether_addr *address);
