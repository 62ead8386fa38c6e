// What the runtime of a generated file gives to the NF part, as far as an analysis needs to know (see synthesis/runtime_part.py).
#pragma once
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libvig/verified/packet-io.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_spinlock.h>
#include <rte_tcp.h>
#include <rte_thash.h>
#include <rte_udp.h>
#include <rte_version.h>

#define MAESTRO_PER_CORE _Thread_local
#define MAX_N_CHUNKS 100

// One core: its share is all there is.
static inline uint64_t maestro_share(uint64_t capacity) { return capacity; }
static inline uint64_t maestro_share_pow2(uint64_t capacity) { return capacity; }
static inline unsigned maestro_core_index(void) { return 0; }
static inline unsigned maestro_core_count(void) { return 1; }
void maestro_write(void); // a mark, known to the catalogue

static inline void *nf_borrow_next_chunk(void *p, size_t length) {
  void *chunk;
  packet_borrow_next_chunk(p, length, &chunk);
  return chunk;
}
static inline void nf_return_all_chunks(void *p) { (void)p; }

// Chains that cores share, and chains that count by bucket, are dchains to the NF.
#define maestro_dchain DoubleChain
#define maestro_dchain_allocate dchain_allocate
#define maestro_dchain_allocate_new_index dchain_allocate_new_index
#define maestro_dchain_rejuvenate_index dchain_rejuvenate_index
#define maestro_dchain_is_index_allocated dchain_is_index_allocated
#define maestro_dchain_free_index dchain_free_index
#define maestro_dchain_expire_one_index dchain_expire_one_index
#define maestro_expire_items_single_map expire_items_single_map
#define maestro_expire_items expire_items
#define maestro_cht_find_preferred_available_backend cht_find_preferred_available_backend

#define maestro_live_chain DoubleChain
#define maestro_live_chain_allocate dchain_allocate
#define maestro_live_chain_allocate_new_index dchain_allocate_new_index
#define maestro_live_chain_rejuvenate_index dchain_rejuvenate_index
#define maestro_live_chain_is_index_allocated dchain_is_index_allocated
#define maestro_live_chain_free_index dchain_free_index
#define maestro_live_chain_expire_one_index dchain_expire_one_index
#define maestro_live_expire_items_single_map expire_items_single_map

#define maestro_rss_chain DoubleChain
#define maestro_rss_chain_allocate(range, chain, core_of) dchain_allocate(range, chain)
#define maestro_rss_chain_allocate_new_index dchain_allocate_new_index
#define maestro_rss_chain_rejuvenate_index dchain_rejuvenate_index
#define maestro_rss_chain_is_index_allocated dchain_is_index_allocated
#define maestro_rss_chain_free_index dchain_free_index
#define maestro_rss_chain_expire_one_index dchain_expire_one_index
#define maestro_rss_expire_items_single_map expire_items_single_map
