// DPDK from 20.11 on, under the names that it has had since 21.11. Comes before any other include of DPDK.
#pragma once

#include "compat/dpdk_names.h"

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <rte_spinlock.h>
#include <rte_tcp.h>
#include <rte_thash.h>
#include <rte_udp.h>
#include <rte_version.h>

#include <pthread.h>

#if RTE_VERSION < RTE_VERSION_NUM(21, 11, 0, 0)
#  define RTE_ETH_MQ_RX_RSS ETH_MQ_RX_RSS
#  define RTE_ETH_RETA_GROUP_SIZE RTE_RETA_GROUP_SIZE
#  define RTE_ETH_RX_OFFLOAD_RSS_HASH DEV_RX_OFFLOAD_RSS_HASH
#  define RTE_MBUF_F_RX_RSS_HASH PKT_RX_RSS_HASH
#  define RTE_ETH_RSS_IPV4 ETH_RSS_IPV4
#  define RTE_ETH_RSS_FRAG_IPV4 ETH_RSS_FRAG_IPV4
#  define RTE_ETH_RSS_NONFRAG_IPV4_TCP ETH_RSS_NONFRAG_IPV4_TCP
#  define RTE_ETH_RSS_NONFRAG_IPV4_UDP ETH_RSS_NONFRAG_IPV4_UDP
#  define RTE_ETH_RSS_NONFRAG_IPV4_SCTP ETH_RSS_NONFRAG_IPV4_SCTP
#  define RTE_ETH_RSS_NONFRAG_IPV4_OTHER ETH_RSS_NONFRAG_IPV4_OTHER
#  define RTE_ETH_RSS_IPV6 ETH_RSS_IPV6
#  define RTE_ETH_RSS_FRAG_IPV6 ETH_RSS_FRAG_IPV6
#  define RTE_ETH_RSS_NONFRAG_IPV6_TCP ETH_RSS_NONFRAG_IPV6_TCP
#  define RTE_ETH_RSS_NONFRAG_IPV6_UDP ETH_RSS_NONFRAG_IPV6_UDP
#  define RTE_ETH_RSS_NONFRAG_IPV6_SCTP ETH_RSS_NONFRAG_IPV6_SCTP
#  define RTE_ETH_RSS_NONFRAG_IPV6_OTHER ETH_RSS_NONFRAG_IPV6_OTHER
#  define RTE_ETH_RSS_L2_PAYLOAD ETH_RSS_L2_PAYLOAD
#  define RTE_ETH_RSS_ETH ETH_RSS_ETH
#  define RTE_ETH_RSS_PORT ETH_RSS_PORT
#  define RTE_ETH_RSS_L3_SRC_ONLY ETH_RSS_L3_SRC_ONLY
#  define RTE_ETH_RSS_L3_DST_ONLY ETH_RSS_L3_DST_ONLY
#  define RTE_ETH_RSS_L4_SRC_ONLY ETH_RSS_L4_SRC_ONLY
#  define RTE_ETH_RSS_L4_DST_ONLY ETH_RSS_L4_DST_ONLY
#endif

// A thread that is not bound to a core that runs an NF.
__attribute__((unused)) static inline int maestro_thread_create(pthread_t *thread, const char *name, void *(*run)(void *)) {
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
  return rte_ctrl_thread_create(thread, name, NULL, run, NULL);
#else
  (void)name;
  return pthread_create(thread, NULL, run, NULL);
#endif
}
