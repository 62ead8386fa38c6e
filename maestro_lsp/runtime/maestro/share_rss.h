// An allocator of indices that leave in packets, such as a NAT's ports: each core gives out only indices whose answers will
// be steered to it. Needs libVig's double-chain.h, and map.h and vector.h for the last function.
//
// An index belongs to the core of the table entry that a packet carrying it hashes to, whatever else the packet carries:
// the key must be one that gives no weight to anything else (solve for "packets that carry the same index must meet").
// Then no index is ever on two cores, and tables must stay as they are.
#pragma once

#include "maestro/core.h"

#include <stdlib.h>

struct DoubleChain;

struct maestro_rss_chain {
  struct DoubleChain *own; // gives out places in `indices`
  int range;
  int *indices; // of this core, ascending
  int *places;  // of each index in `indices`, or -1
};

// Which core packets from `device` are steered to, by hash and table.
__attribute__((unused)) static unsigned maestro_core_of_packet(uint16_t device, const uint8_t *packet, uint32_t length);

// core_of says where a packet that carries an index is steered to. Returns 0 if there is no memory or this core has no index.
MAESTRO_API int maestro_rss_chain_allocate(int index_range, struct maestro_rss_chain **chain_out,
                                           unsigned (*core_of)(int index)) {
  struct maestro_rss_chain *chain = calloc(1, sizeof(*chain));
  if (chain == NULL || index_range < 0) {
    return 0;
  }
  chain->range = index_range;
  chain->indices = calloc((size_t)index_range + 1, sizeof(int));
  chain->places = calloc((size_t)index_range + 1, sizeof(int));
  if (chain->indices == NULL || chain->places == NULL) {
    return 0;
  }
  int count = 0;
  for (int index = 0; index < index_range; ++index) {
    bool own = core_of(index) == maestro_self;
    chain->places[index] = own ? count : -1;
    chain->indices[count] = index;
    count += own;
  }
  *chain_out = chain;
  return count > 0 && dchain_allocate(count, &chain->own);
}

MAESTRO_API int maestro_rss_place(const struct maestro_rss_chain *chain, int index) {
  return (unsigned)index < (unsigned)chain->range ? chain->places[index] : -1;
}

MAESTRO_API int maestro_rss_chain_allocate_new_index(struct maestro_rss_chain *chain, int *index_out, int64_t time) {
  int place;
  if (!dchain_allocate_new_index(chain->own, &place, time)) {
    return 0;
  }
  *index_out = chain->indices[place];
  return 1;
}

MAESTRO_API int maestro_rss_chain_expire_one_index(struct maestro_rss_chain *chain, int *index_out, int64_t time) {
  int place;
  if (!dchain_expire_one_index(chain->own, &place, time)) {
    return 0;
  }
  *index_out = chain->indices[place];
  return 1;
}

MAESTRO_API int maestro_rss_chain_is_index_allocated(struct maestro_rss_chain *chain, int index) {
  int place = maestro_rss_place(chain, index);
  return place >= 0 && dchain_is_index_allocated(chain->own, place);
}

MAESTRO_API int maestro_rss_chain_rejuvenate_index(struct maestro_rss_chain *chain, int index, int64_t time) {
  int place = maestro_rss_place(chain, index);
  return place >= 0 && dchain_rejuvenate_index(chain->own, place, time);
}

MAESTRO_API int maestro_rss_chain_free_index(struct maestro_rss_chain *chain, int index) {
  int place = maestro_rss_place(chain, index);
  return place >= 0 && dchain_free_index(chain->own, place);
}

MAESTRO_API int maestro_rss_expire_items_single_map(struct maestro_rss_chain *chain, struct Vector *vector,
                                                    struct Map *map, int64_t time) {
  int expired = 0;
  for (int index; maestro_rss_chain_expire_one_index(chain, &index, time); ++expired) {
    void *key;
    vector_borrow(vector, index, &key);
    void *stored = key;
    map_erase(map, key, &stored);
    vector_return(vector, index, key);
  }
  return expired;
}
