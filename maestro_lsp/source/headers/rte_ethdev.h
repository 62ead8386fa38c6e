#pragma once
#include <rte_ether.h>
#include <rte_mbuf.h>
#define RTE_ETH_MQ_RX_NONE 0
#define RTE_ETH_MQ_RX_RSS 1
#define ETH_MQ_RX_NONE 0
#define ETH_MQ_RX_RSS 1
#define RTE_ETH_RSS_IPV4 (1ULL << 2)
#define RTE_ETH_RSS_NONFRAG_IPV4_TCP (1ULL << 4)
#define RTE_ETH_RSS_NONFRAG_IPV4_UDP (1ULL << 5)
#define ETH_RSS_NONFRAG_IPV4_TCP RTE_ETH_RSS_NONFRAG_IPV4_TCP
#define ETH_RSS_NONFRAG_IPV4_UDP RTE_ETH_RSS_NONFRAG_IPV4_UDP
#define RTE_ETH_RETA_GROUP_SIZE 64
struct rte_eth_rxmode {
  uint32_t mq_mode;
  uint32_t mtu;
  uint32_t max_rx_pkt_len;
  uint32_t max_lro_pkt_size;
  uint16_t split_hdr_size;
  uint64_t offloads;
};
struct rte_eth_txmode {
  uint32_t mq_mode;
  uint64_t offloads;
};
struct rte_eth_rss_conf {
  uint8_t *rss_key;
  uint8_t rss_key_len;
  uint64_t rss_hf;
};
struct rte_eth_conf {
  uint32_t link_speeds;
  struct rte_eth_rxmode rxmode;
  struct rte_eth_txmode txmode;
  uint32_t lpbk_mode;
  struct {
    struct rte_eth_rss_conf rss_conf;
  } rx_adv_conf;
};
struct rte_eth_rxconf {
  uint16_t rx_free_thresh;
  uint8_t rx_drop_en;
  uint64_t offloads;
};
struct rte_eth_txconf {
  uint16_t tx_rs_thresh;
  uint16_t tx_free_thresh;
  uint64_t offloads;
};
struct rte_eth_dev_info {
  const char *driver_name;
  uint16_t max_rx_queues;
  uint16_t max_tx_queues;
  uint16_t reta_size;
  uint8_t hash_key_size;
  uint64_t flow_type_rss_offloads;
  uint64_t rx_offload_capa;
  uint64_t tx_offload_capa;
  struct rte_eth_rxconf default_rxconf;
  struct rte_eth_txconf default_txconf;
};
struct rte_eth_rss_reta_entry64 {
  uint64_t mask;
  uint16_t reta[64];
};
struct rte_eth_stats {
  uint64_t ipackets, opackets, ibytes, obytes, imissed, ierrors, oerrors, rx_nombuf;
};
#define RTE_ETH_FOREACH_DEV(p) for (p = 0; p < rte_eth_dev_count_avail(); p++)
uint16_t rte_eth_dev_count_avail(void);
uint16_t rte_eth_dev_count_total(void);
uint16_t rte_eth_dev_count(void);
int rte_eth_dev_is_valid_port(uint16_t port);
int rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info);
int rte_eth_dev_configure(uint16_t port, uint16_t rx_queues, uint16_t tx_queues, const struct rte_eth_conf *conf);
int rte_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned socket,
                           const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int rte_eth_tx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned socket,
                           const struct rte_eth_txconf *conf);
int rte_eth_dev_start(uint16_t port);
int rte_eth_dev_stop(uint16_t port);
int rte_eth_dev_close(uint16_t port);
int rte_eth_dev_socket_id(uint16_t port);
int rte_eth_promiscuous_enable(uint16_t port);
int rte_eth_promiscuous_get(uint16_t port);
int rte_eth_macaddr_get(uint16_t port, struct rte_ether_addr *address);
int rte_eth_stats_get(uint16_t port, struct rte_eth_stats *stats);
int rte_eth_dev_rss_hash_update(uint16_t port, struct rte_eth_rss_conf *conf);
int rte_eth_dev_rss_reta_update(uint16_t port, struct rte_eth_rss_reta_entry64 *reta, uint16_t size);
uint16_t rte_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **packets, uint16_t count);
uint16_t rte_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **packets, uint16_t count);
