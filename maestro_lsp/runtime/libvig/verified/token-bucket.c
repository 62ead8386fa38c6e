// Token buckets: a table of its own. Keys are of any size, so it cannot be built on Map, whose functions see
// only a pointer to a key; it finds keys by chains from a bucket array and leaves indices and ages to a DoubleChain.
#include "token-bucket.h"

#include <stdlib.h>
#include <string.h>

#include "double-chain.h"
#include "hashing.h"
#include "internal.h"

#define END (-1) // end of a chain of entries

struct entry {
  uint64_t tokens;   // bytes that may pass now
  vigor_time_t time; // of the latest refill
  int next;          // next entry of the same chain, or END
};

struct TokenBucket {
  uint64_t rate;  // bytes per second
  uint64_t burst; // bytes
  vigor_time_t fill_time; // how long an empty bucket takes to be full, rounded up
  size_t key_size;
  unsigned chain_mask; // number of chains, a power of two, minus one
  int *chains;         // first entry of each chain, or END
  struct entry *entries;
  char *keys;
  struct DoubleChain *ages; // gives out indices of entries
};

static inline void *key_at(const struct TokenBucket *tb, int index) {
  return tb->keys + (size_t)index * tb->key_size;
}

static inline int *chain_of(const struct TokenBucket *tb, const void *key) {
  return &tb->chains[hash_bytes(key, tb->key_size, 0) & tb->chain_mask];
}

static vigor_time_t time_to_fill(uint64_t rate, uint64_t burst) {
  unsigned __int128 ns = ((unsigned __int128)burst * VIGOR_TIME_SECONDS_MULTIPLIER + rate - 1) / rate;
  return ns > INT64_MAX ? INT64_MAX : (vigor_time_t)ns;
}

static void tb_free(struct TokenBucket *tb) {
  free(tb->chains);
  free(tb->entries);
  free(tb->keys);
  free(tb);
}

int tb_allocate(uint32_t capacity, uint64_t rate, uint64_t burst, uint32_t key_size, struct TokenBucket **tb_out) {
#ifdef CAPACITY_POW2
  if ((capacity & (capacity - 1)) != 0) {
    return 0;
  }
#endif
  if (capacity == 0 || capacity > INT32_MAX || rate == 0 || burst == 0) {
    return 0;
  }
  size_t chains_count = 1;
  while (chains_count < capacity) {
    chains_count *= 2;
  }
  struct TokenBucket *tb = calloc(1, sizeof(*tb));
  if (tb == NULL) {
    return 0;
  }
  *tb = (struct TokenBucket){
    .rate = rate,
    .burst = burst,
    .fill_time = time_to_fill(rate, burst),
    .key_size = key_size,
    .chain_mask = (unsigned)(chains_count - 1),
    .chains = malloc(chains_count * sizeof(*tb->chains)),
    .entries = calloc(capacity, sizeof(*tb->entries)),
    .keys = calloc(capacity, key_size > 0 ? key_size : 1),
  };
  if (tb->chains == NULL || tb->entries == NULL || tb->keys == NULL || !dchain_allocate((int)capacity, &tb->ages)) {
    tb_free(tb);
    return 0;
  }
  for (size_t i = 0; i < chains_count; ++i) {
    tb->chains[i] = END;
  }
  *tb_out = tb;
  return 1;
}

int tb_is_tracing(struct TokenBucket *tb, void *key, int *index_out) {
  for (int i = *chain_of(tb, key); i != END; i = tb->entries[i].next) {
    if (memcmp(key_at(tb, i), key, tb->key_size) == 0) {
      *index_out = i;
      return 1;
    }
  }
  return 0;
}

int tb_trace(struct TokenBucket *tb, void *key, uint16_t pkt_len, vigor_time_t time, int *index_out) {
  int index;
  if (pkt_len > tb->burst || !dchain_allocate_new_index(tb->ages, &index, time)) {
    return 0;
  }
  int *chain = chain_of(tb, key);
  memcpy(key_at(tb, index), key, tb->key_size);
  tb->entries[index] = (struct entry){.tokens = tb->burst - pkt_len, .time = time, .next = *chain};
  *chain = index;
  *index_out = index;
  return 1;
}

int tb_update_and_check(struct TokenBucket *tb, int index, uint16_t pkt_len, vigor_time_t time) {
  struct entry *entry = &tb->entries[index];
  dchain_rejuvenate_index(tb->ages, index, time);
  vigor_time_t elapsed = time - entry->time;
  if (elapsed >= tb->fill_time) {
    entry->tokens = tb->burst;
  } else if (elapsed > 0) {
    // Below a full bucket here, hence in range after the division; the product may need more than 64 bits.
    entry->tokens += (uint64_t)((unsigned __int128)tb->rate * (uint64_t)elapsed / VIGOR_TIME_SECONDS_MULTIPLIER);
    entry->tokens = entry->tokens > tb->burst ? tb->burst : entry->tokens;
  }
  entry->time = time;
  if (entry->tokens < pkt_len) {
    return 0;
  }
  entry->tokens -= pkt_len;
  return 1;
}

int tb_expire(struct TokenBucket *tb, vigor_time_t time) {
  int expired = 0;
  for (int index; dchain_expire_one_index(tb->ages, &index, time - tb->fill_time); ++expired) {
    int *link = chain_of(tb, key_at(tb, index));
    while (*link != index) {
      link = &tb->entries[*link].next;
    }
    *link = tb->entries[index].next;
  }
  return expired;
}
