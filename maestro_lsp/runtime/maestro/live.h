// Counts the live entries of tables by bucket (an entry of the indirection table), so that a bucket may move to another core
// when none is left. For NFs whose cores keep state in tables only. Needs libVig's double-chain.h, map.h and vector.h.
#pragma once

#include "maestro/core.h"

#include <stdlib.h>

static MAESTRO_PER_CORE unsigned maestro_bucket;     // of the packet that is processed
static MAESTRO_PER_CORE uint32_t *maestro_live;      // this core's live entries by bucket; NULL: not counted
static MAESTRO_PER_CORE bool maestro_bucket_is_idle; // some bucket's last entry has gone

struct maestro_live_chain {
  struct DoubleChain *chain;
  uint32_t *buckets; // of each index while it is allocated
};

MAESTRO_API int maestro_live_chain_allocate(int index_range, struct maestro_live_chain **chain_out) {
  struct maestro_live_chain *chain = calloc(1, sizeof(*chain));
  if (chain == NULL || index_range < 0) {
    return 0;
  }
  chain->buckets = calloc((size_t)index_range + 1, sizeof(uint32_t));
  *chain_out = chain;
  return chain->buckets != NULL && dchain_allocate(index_range, &chain->chain);
}

MAESTRO_API void maestro_entry_is_gone(const struct maestro_live_chain *chain, int index) {
  if (maestro_live != NULL && --maestro_live[chain->buckets[index]] == 0) {
    maestro_bucket_is_idle = true;
  }
}

MAESTRO_API int maestro_live_chain_allocate_new_index(struct maestro_live_chain *chain, int *index_out, int64_t time) {
  if (!dchain_allocate_new_index(chain->chain, index_out, time)) {
    return 0;
  }
  if (maestro_live != NULL) {
    chain->buckets[*index_out] = maestro_bucket;
    ++maestro_live[maestro_bucket];
  }
  return 1;
}

MAESTRO_API int maestro_live_chain_expire_one_index(struct maestro_live_chain *chain, int *index_out, int64_t time) {
  if (!dchain_expire_one_index(chain->chain, index_out, time)) {
    return 0;
  }
  maestro_entry_is_gone(chain, *index_out);
  return 1;
}

MAESTRO_API int maestro_live_chain_free_index(struct maestro_live_chain *chain, int index) {
  if (!dchain_free_index(chain->chain, index)) {
    return 0;
  }
  maestro_entry_is_gone(chain, index);
  return 1;
}

MAESTRO_API int maestro_live_chain_is_index_allocated(struct maestro_live_chain *chain, int index) {
  return dchain_is_index_allocated(chain->chain, index);
}

MAESTRO_API int maestro_live_chain_rejuvenate_index(struct maestro_live_chain *chain, int index, int64_t time) {
  return dchain_rejuvenate_index(chain->chain, index, time);
}

MAESTRO_API int maestro_live_expire_items_single_map(struct maestro_live_chain *chain, struct Vector *vector,
                                                     struct Map *map, int64_t time) {
  int expired = 0;
  for (int index; maestro_live_chain_expire_one_index(chain, &index, time); ++expired) {
    void *key;
    vector_borrow(vector, index, &key);
    void *stored = key;
    map_erase(map, key, &stored);
    vector_return(vector, index, key);
  }
  return expired;
}
