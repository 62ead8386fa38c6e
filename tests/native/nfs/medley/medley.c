// Asks every libVig structure about one key (four bytes behind the Ethernet header) and writes the answers into
// the packet. It makes no sense as a network function; it is for tests that need every call.
#include <stdbool.h>
#include <string.h>

#include "libvig/verified/boilerplate-util.h"
#include "libvig/verified/cht.h"
#include "libvig/verified/cms.h"
#include "libvig/verified/expirator.h"
#include "libvig/verified/hash.h"
#include "libvig/verified/lpm.h"
#include "libvig/verified/packet-io.h"
#include "libvig/verified/sketch.h"
#include "libvig/verified/token-bucket.h"

#define CAPACITY 8
#define HEIGHT 13
#define LIFETIME 100

struct pair {
  uint32_t a;
  uint16_t b; // low bits of a, negated: another key of the same thing
};

static bool word_eq(void *x, void *y) {
  return memcmp(x, y, sizeof(uint32_t)) == 0;
}

static unsigned word_hash(void *x) {
  return hash_obj(x, sizeof(uint32_t));
}

static bool half_eq(void *x, void *y) {
  return memcmp(x, y, sizeof(uint16_t)) == 0;
}

static unsigned half_hash(void *x) {
  return hash_obj(x, sizeof(uint16_t));
}

static void pair_copy(char *to, void *from) {
  memcpy(to, from, sizeof(struct pair));
}

static void pair_destroy(void *value) {
  (void)value;
}

static void pair_extract(void *value, void **a, void **b) {
  *a = &((struct pair *)value)->a;
  *b = &((struct pair *)value)->b;
}

static void pair_pack(void *value, void *a, void *b) {
  (void)value;
  (void)a;
  (void)b;
}

static struct Map *map;
static struct Vector *keys;
static struct DoubleChain *chain;
static struct DoubleMap *pairs;
static struct DoubleChain *pair_ages;
static struct Vector *cht;
static struct lpm *lpm;
static struct Sketch *sketch;
static struct CMS *cms;
static struct TokenBucket *tb;

bool nf_init(void) {
  struct lpm *unused;
  if (!lpm_allocate(&unused)) {
    return false;
  }
  lpm_free(unused);
  return map_allocate(word_eq, word_hash, CAPACITY, &map) &&
         vector_allocate(sizeof(uint32_t), CAPACITY, null_init, &keys) && dchain_allocate(CAPACITY, &chain) &&
         dmap_allocate(word_eq, word_hash, half_eq, half_hash, sizeof(struct pair), pair_copy, pair_destroy,
                       pair_extract, pair_pack, CAPACITY, CAPACITY, &pairs) &&
         dchain_allocate(CAPACITY, &pair_ages) &&
         vector_allocate(sizeof(uint32_t), HEIGHT * CAPACITY, null_init, &cht) &&
         cht_fill_cht(cht, HEIGHT, CAPACITY) && lpm_allocate(&lpm) && lpm_update_elem(lpm, 0x01000000, 8, 5) &&
         sketch_allocate(word_hash, 64, 2, &sketch) && cms_allocate(2, 64, sizeof(uint32_t), LIFETIME, &cms) &&
         tb_allocate(CAPACITY, 1000000000, 100, sizeof(uint32_t), &tb);
}

// Puts the key into the table, or frees it if it has been there for a while: the answer is its index.
static int ask_table(uint32_t key, vigor_time_t now) {
  expire_items_single_map(chain, keys, map, now - LIFETIME);
  int index = -1;
  if (map_get(map, &key, &index)) {
    dchain_rejuvenate_index(chain, index, now);
    if (key % 3 == 0) {
      void *stored;
      map_erase(map, &key, &stored);
      dchain_free_index(chain, index);
    } else if (key % 3 == 1) {
      expire_items_single_map_iteratively(keys, map, index, index + 1);
      dchain_free_index(chain, index);
    }
  } else if (dchain_allocate_new_index(chain, &index, now)) {
    uint32_t *stored;
    vector_borrow(keys, index, (void **)&stored);
    *stored = key;
    map_put(map, stored, index);
    vector_return(keys, index, stored);
  }
  return 100 * (int)map_size(map) + index;
}

static int ask_pairs(uint32_t key, vigor_time_t now) {
  struct pair pair = {.a = key, .b = (uint16_t)~key};
  int index = -1;
  if (dmap_get_a(pairs, &pair.a, &index)) {
    dmap_get_value(pairs, index, &pair);
    if (pair.b % 2 == 0) {
      dmap_erase(pairs, index);
      dchain_free_index(pair_ages, index);
    }
  } else if (!dmap_get_b(pairs, &pair.b, &index) && dchain_allocate_new_index(pair_ages, &index, now)) {
    dmap_put(pairs, &pair, index);
  }
  int expired = key % 2 == 0 ? expire_items(pair_ages, pairs, now - LIFETIME) : 0;
  return 10000 * expired + 100 * (int)dmap_size(pairs) + index;
}

static int ask_backends(uint32_t key, vigor_time_t now) {
  int expired;
  int backend = -1;
  while (key % 5 == 0 && dchain_expire_one_index(chain, &expired, now - LIFETIME / 2)) {
    uint32_t *stored;
    void *trash;
    vector_borrow(keys, expired, (void **)&stored);
    map_erase(map, stored, &trash);
    vector_return(keys, expired, stored);
  }
  if (!dchain_is_index_allocated(chain, (int)(key % CAPACITY))) {
    cht_find_preferred_available_backend(hash_obj(&key, sizeof(key)), cht, chain, HEIGHT, CAPACITY, &backend);
  }
  return backend;
}

static int ask_sketches(uint32_t key, vigor_time_t now) {
  sketch_expire(sketch, now - LIFETIME);
  sketch_compute_hashes(sketch, &key);
  sketch_refresh(sketch, now);
  int answer = 10 * sketch_fetch(sketch) + sketch_touch_buckets(sketch, now);
  answer = 10 * answer + cms_periodic_cleanup(cms, now);
  cms_increment(cms, &key);
  return 100 * answer + (int)cms_count_min(cms, &key);
}

static int ask_buckets(uint32_t key, vigor_time_t now) {
  int index = -1;
  int passes = 0;
  int expired = tb_expire(tb, now);
  if (tb_is_tracing(tb, &key, &index)) {
    passes = tb_update_and_check(tb, index, 60, now);
  } else {
    passes = tb_trace(tb, &key, 60, now, &index);
  }
  return 1000 * expired + 100 * passes + index;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, vigor_time_t now) {
  (void)length;
  void *ether;
  struct {
    uint32_t key;
    int32_t answers[6];
  } *body;
  packet_borrow_next_chunk(buffer, 14, &ether);
  if (packet_get_unread_length(buffer) < sizeof(*body)) {
    packet_return_chunk(buffer, ether);
    return device;
  }
  packet_borrow_next_chunk(buffer, sizeof(*body), (void **)&body);
  body->answers[0] = ask_table(body->key, now);
  body->answers[1] = ask_pairs(body->key, now);
  body->answers[2] = ask_backends(body->key, now);
  body->answers[3] = ask_sketches(body->key, now);
  body->answers[4] = ask_buckets(body->key, now);
  body->answers[5] = lpm_lookup_elem(lpm, body->key);
  return device ^ 1;
}
