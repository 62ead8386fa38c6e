#pragma once
#include <rte_ip.h>
#define RTE_THASH_V4_L3_LEN 2
#define RTE_THASH_V4_L4_LEN 3
struct rte_ipv4_tuple {
  uint32_t src_addr;
  uint32_t dst_addr;
  union {
    struct {
      uint16_t dport;
      uint16_t sport;
    };
    uint32_t sctp_tag;
  };
};
union rte_thash_tuple {
  struct rte_ipv4_tuple v4;
};
void rte_convert_rss_key(const uint32_t *from, uint32_t *to, int length);
uint32_t rte_softrss(uint32_t *input, uint32_t length, const uint8_t *key);
uint32_t rte_softrss_be(uint32_t *input, uint32_t length, const uint8_t *key);
