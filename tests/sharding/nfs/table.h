// What the small NFs beside this file share: one table of sources (map, keys, chain) with a cell for each, a second map,
// vector and dchain to go wrong with, and a packet taken apart.
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "libvig/verified/double-chain.h"
#include "libvig/verified/expirator.h"
#include "libvig/verified/map.h"
#include "libvig/verified/packet-io.h"
#include "libvig/verified/vector.h"

#define CAPACITY 1024
#define LAG 1000000 // ns

struct ports {
  uint16_t src, dst;
};
struct cell {
  uint32_t count, other;
  int64_t time;
};

static struct Map *map, *map2;
static struct Vector *keys, *cells, *keys2;
static struct DoubleChain *chain, *chain2;

static bool addr_eq(void *a, void *b) { return *(uint32_t *)a == *(uint32_t *)b; }
static unsigned addr_hash(void *key) { return *(uint32_t *)key; }
static void addr_clear(void *key) { memset(key, 0, 4); }
static void cell_clear(void *cell) { memset(cell, 0, sizeof(struct cell)); }

static bool tables(void) {
  return map_allocate(addr_eq, addr_hash, CAPACITY, &map) && map_allocate(addr_eq, addr_hash, CAPACITY, &map2) &&
         vector_allocate(4, CAPACITY, addr_clear, &keys) && vector_allocate(4, CAPACITY, addr_clear, &keys2) &&
         vector_allocate(sizeof(struct cell), CAPACITY, cell_clear, &cells) && dchain_allocate(CAPACITY, &chain) &&
         dchain_allocate(CAPACITY, &chain2);
}

#define EXPIRE expire_items_single_map(chain, keys, map, now - LAG);

// ip and l4 of a TCP or UDP packet; others are dropped
#define PARSE                                                                                                \
  struct rte_ether_hdr *ether;                                                                               \
  struct rte_ipv4_hdr *ip;                                                                                   \
  struct ports *l4;                                                                                          \
  if (len < 42) return device;                                                                               \
  packet_borrow_next_chunk(buffer, 14, (void **)&ether);                                                     \
  if (ether->ether_type != 0x0008) return device;                                                            \
  packet_borrow_next_chunk(buffer, 20, (void **)&ip);                                                        \
  if (ip->version_ihl != 0x45 || (ip->next_proto_id != 6 && ip->next_proto_id != 17)) return device;         \
  packet_borrow_next_chunk(buffer, 4, (void **)&l4);

// the index of the packet's source, a new one if it has none; BODY runs with `key` pointing to the new key's cell
#define SOURCE_WITH(BODY)                                                                                    \
  uint32_t source = ip->src_addr;                                                                            \
  int index;                                                                                                 \
  if (map_get(map, &source, &index)) {                                                                       \
    dchain_rejuvenate_index(chain, index, now);                                                              \
  } else {                                                                                                   \
    if (!dchain_allocate_new_index(chain, &index, now)) return device;                                       \
    uint32_t *key;                                                                                           \
    vector_borrow(keys, index, (void **)&key);                                                               \
    *key = source;                                                                                           \
    BODY                                                                                                     \
    vector_return(keys, index, key);                                                                         \
    struct cell *first;                                                                                      \
    vector_borrow(cells, index, (void **)&first);                                                            \
    first->count = first->other = 0;                                                                         \
    first->time = now;                                                                                       \
    vector_return(cells, index, first);                                                                      \
  }
#define SOURCE SOURCE_WITH(map_put(map, key, index);)

#define INIT bool nf_init(void) { return tables(); }

#endif
