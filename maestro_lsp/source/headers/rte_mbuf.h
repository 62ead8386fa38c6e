// Packet buffers, laid out as in DPDK 22.11.
#pragma once
#include <rte_mempool.h>
#define RTE_MBUF_DEFAULT_DATAROOM 2048
#define RTE_MBUF_DEFAULT_BUF_SIZE (RTE_MBUF_DEFAULT_DATAROOM + RTE_PKTMBUF_HEADROOM)
#define RTE_MBUF_F_RX_VLAN (1ULL << 0)
#define RTE_MBUF_F_RX_RSS_HASH (1ULL << 1)
#define RTE_MBUF_F_TX_IP_CKSUM (1ULL << 54)
#define RTE_MBUF_F_TX_IPV4 (1ULL << 55)
#define RTE_MBUF_F_TX_IPV6 (1ULL << 56)
#define RTE_MBUF_F_TX_TCP_CKSUM (1ULL << 52)
#define RTE_MBUF_F_TX_UDP_CKSUM (3ULL << 52)
#define PKT_TX_IP_CKSUM RTE_MBUF_F_TX_IP_CKSUM
#define PKT_TX_IPV4 RTE_MBUF_F_TX_IPV4
#define PKT_TX_TCP_CKSUM RTE_MBUF_F_TX_TCP_CKSUM
#define PKT_TX_UDP_CKSUM RTE_MBUF_F_TX_UDP_CKSUM
struct rte_mbuf {
  void *buf_addr;
  rte_iova_t buf_iova;
  uint16_t data_off;
  uint16_t refcnt;
  uint16_t nb_segs;
  uint16_t port;
  uint64_t ol_flags;
  union {
    uint32_t packet_type;
    struct {
      uint8_t l2_type : 4;
      uint8_t l3_type : 4;
      uint8_t l4_type : 4;
      uint8_t tun_type : 4;
      uint8_t inner_l2_type : 4;
      uint8_t inner_l3_type : 4;
      uint8_t inner_l4_type : 4;
    };
  };
  uint32_t pkt_len;
  uint16_t data_len;
  uint16_t vlan_tci;
  union {
    uint32_t rss;
    struct {
      uint32_t lo;
      uint32_t hi;
    } fdir;
    uint32_t usr;
  } hash;
  uint16_t vlan_tci_outer;
  uint16_t buf_len;
  struct rte_mempool *pool;
  struct rte_mbuf *next;
  union {
    uint64_t tx_offload;
    struct {
      uint64_t l2_len : 7;
      uint64_t l3_len : 9;
      uint64_t l4_len : 8;
      uint64_t tso_segsz : 16;
      uint64_t outer_l3_len : 9;
      uint64_t outer_l2_len : 7;
    };
  };
  void *shinfo;
  uint16_t priv_size;
  uint16_t timesync;
  uint32_t dynfield1[9];
} __attribute__((aligned(64)));
#define rte_pktmbuf_mtod_offset(m, type, offset) ((type)((char *)(m)->buf_addr + (m)->data_off + (offset)))
#define rte_pktmbuf_mtod(m, type) rte_pktmbuf_mtod_offset(m, type, 0)
#define rte_pktmbuf_pkt_len(m) ((m)->pkt_len)
#define rte_pktmbuf_data_len(m) ((m)->data_len)
struct rte_mempool *rte_pktmbuf_pool_create(const char *name, unsigned n, unsigned cache_size, uint16_t priv_size,
                                            uint16_t data_room_size, int socket_id);
struct rte_mbuf *rte_pktmbuf_alloc(struct rte_mempool *pool);
void rte_pktmbuf_free(struct rte_mbuf *m);
struct rte_mbuf *rte_pktmbuf_clone(struct rte_mbuf *m, struct rte_mempool *pool);
void rte_mbuf_refcnt_set(struct rte_mbuf *m, uint16_t value);
uint16_t rte_mbuf_refcnt_read(const struct rte_mbuf *m);
uint16_t rte_mbuf_refcnt_update(struct rte_mbuf *m, int16_t value);
uint16_t rte_pktmbuf_headroom(const struct rte_mbuf *m);
uint16_t rte_pktmbuf_tailroom(const struct rte_mbuf *m);
char *rte_pktmbuf_prepend(struct rte_mbuf *m, uint16_t length);
char *rte_pktmbuf_append(struct rte_mbuf *m, uint16_t length);
char *rte_pktmbuf_adj(struct rte_mbuf *m, uint16_t length);
int rte_pktmbuf_trim(struct rte_mbuf *m, uint16_t length);
