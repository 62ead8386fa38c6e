// Runs libVig operations given as text, for tests that compare it with models in Python. One command a line on
// stdin, one line of results on stdout; `end` answers `end` and flushes. Objects of one kind replace each
// other: `map.new` makes the map that later `map.*` commands use. Built with sanitizers (test_libvig.py).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvig/verified/cht.h"
#include "libvig/verified/cms.h"
#include "libvig/verified/double-chain.h"
#include "libvig/verified/double-map.h"
#include "libvig/verified/expirator.h"
#include "libvig/verified/hash.h"
#include "libvig/verified/lpm.h"
#include "libvig/verified/map.h"
#include "libvig/verified/sketch.h"
#include "libvig/verified/token-bucket.h"
#include "libvig/verified/vector.h"

#define KEYS 4096

// Keys stay where they are, as maps demand. Two of each, to see which one a map kept.
static uint32_t keys[2][KEYS];
static unsigned hash_kind;

static unsigned key_hash(void *key) {
  uint32_t value = *(uint32_t *)key;
  switch (hash_kind) {
  case 0: // everything collides
    return 7;
  case 1: // only the lowest bits vary
    return value & 7;
  case 2: // only the highest bits vary
    return value << 28;
  default:
    return hash_obj(key, sizeof(value));
  }
}

static bool key_eq(void *a, void *b) {
  return *(uint32_t *)a == *(uint32_t *)b;
}

struct pair {
  uint32_t a;
  uint32_t b;
  uint32_t payload;
};

static void pair_copy(char *dst, void *src) {
  memcpy(dst, src, sizeof(struct pair));
}

static unsigned destroyed;

static void pair_destroy(void *value) {
  (void)value;
  ++destroyed;
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

static void fill_with_5a(void *elem) {
  memset(elem, 0x5a, 16);
}

static struct Map *map;
static struct Vector *vector;
static struct DoubleChain *chain;
static struct DoubleMap *dmap;
static struct lpm *lpm;
static struct Sketch *sketch;
static struct CMS *cms;
static struct TokenBucket *tb;

static void run(const char *name, const int64_t *n) {
  int out = -1;
#define IS(text) (strcmp(name, text) == 0)
#define PRINT_FOUND(found) ((found) ? printf("1 %d\n", out) : printf("0\n"))
  if (IS("map.new")) {
    hash_kind = (unsigned)n[0];
    printf("%d\n", map_allocate(key_eq, key_hash, (unsigned)n[1], &map));
  } else if (IS("map.get")) {
    PRINT_FOUND(map_get(map, &keys[0][n[0]], &out));
  } else if (IS("map.put")) { // copy, key, value
    map_put(map, &keys[n[0]][n[1]], (int)n[2]);
    printf("ok\n");
  } else if (IS("map.erase")) { // which copy it had kept
    void *trash = NULL;
    map_erase(map, &keys[0][n[0]], &trash);
    printf("%d\n", trash == &keys[0][n[0]] ? 0 : trash == &keys[1][n[0]] ? 1 : -1);
  } else if (IS("map.size")) {
    printf("%u\n", map_size(map));
  } else if (IS("vector.new")) { // elements of 16 bytes
    printf("%d\n", vector_allocate(16, (unsigned)n[0], n[1] ? fill_with_5a : NULL, &vector));
  } else if (IS("vector.write") || IS("vector.read")) { // a byte into, or from, each place of an element
    uint8_t *value;
    vector_borrow(vector, (int)n[0], (void **)&value);
    if (IS("vector.write")) {
      memset(value, (int)n[1], 16);
    }
    printf("%d %d\n", value[0], value[15]);
    vector_return(vector, (int)n[0], value);
  } else if (IS("chain.new")) {
    printf("%d\n", dchain_allocate((int)n[0], &chain));
  } else if (IS("chain.allocate")) {
    PRINT_FOUND(dchain_allocate_new_index(chain, &out, n[0]));
  } else if (IS("chain.rejuvenate")) {
    printf("%d\n", dchain_rejuvenate_index(chain, (int)n[0], n[1]));
  } else if (IS("chain.expire")) {
    PRINT_FOUND(dchain_expire_one_index(chain, &out, n[0]));
  } else if (IS("chain.allocated")) {
    printf("%d\n", dchain_is_index_allocated(chain, (int)n[0]));
  } else if (IS("chain.free")) {
    printf("%d\n", dchain_free_index(chain, (int)n[0]));
  } else if (IS("dmap.new")) {
    destroyed = 0;
    printf("%d\n", dmap_allocate(key_eq, key_hash, key_eq, key_hash, sizeof(struct pair), pair_copy, pair_destroy,
                                 pair_extract, pair_pack, (unsigned)n[0], (unsigned)n[0], &dmap));
  } else if (IS("dmap.put")) { // index, a, b, payload
    struct pair pair = {(uint32_t)n[1], (uint32_t)n[2], (uint32_t)n[3]};
    printf("%d\n", dmap_put(dmap, &pair, (int)n[0]));
  } else if (IS("dmap.get_a")) {
    PRINT_FOUND(dmap_get_a(dmap, &keys[0][n[0]], &out));
  } else if (IS("dmap.get_b")) {
    PRINT_FOUND(dmap_get_b(dmap, &keys[0][n[0]], &out));
  } else if (IS("dmap.value")) {
    struct pair pair;
    dmap_get_value(dmap, (int)n[0], &pair);
    printf("%u %u %u\n", pair.a, pair.b, pair.payload);
  } else if (IS("dmap.erase")) {
    printf("%d\n", dmap_erase(dmap, (int)n[0]));
  } else if (IS("dmap.size")) {
    printf("%u %u\n", dmap_size(dmap), destroyed);
  } else if (IS("expire.dmap")) {
    printf("%d\n", expire_items(chain, dmap, n[0]));
  } else if (IS("expire.map")) { // keys are the first four bytes of the vector's elements
    printf("%d\n", expire_items_single_map(chain, vector, map, n[0]));
  } else if (IS("expire.range")) {
    printf("%d\n", expire_items_single_map_iteratively(vector, map, (int)n[0], (int)n[1]));
  } else if (IS("table.put")) { // index, key: the key goes into the vector and from there into the map
    uint32_t *key;
    vector_borrow(vector, (int)n[0], (void **)&key);
    *key = (uint32_t)n[1];
    map_put(map, key, (int)n[0]);
    vector_return(vector, (int)n[0], key);
    printf("ok\n");
  } else if (IS("cht.fill")) { // height, backends
    printf("%d\n", cht_fill_cht(vector, (uint32_t)n[0], (uint32_t)n[1]));
  } else if (IS("cht.preference")) {
    uint32_t *preference;
    vector_borrow(vector, (int)n[0], (void **)&preference);
    printf("%u\n", *preference);
    vector_return(vector, (int)n[0], preference);
  } else if (IS("cht.find")) { // hash, height, backends
    PRINT_FOUND(cht_find_preferred_available_backend((uint64_t)n[0], vector, chain, (uint32_t)n[1], (uint32_t)n[2],
                                                     &out));
  } else if (IS("lpm.new")) {
    if (lpm != NULL) {
      lpm_free(lpm);
    }
    printf("%d\n", lpm_allocate(&lpm));
  } else if (IS("lpm.update")) { // prefix, length, value
    printf("%d\n", lpm_update_elem(lpm, (uint32_t)n[0], (uint8_t)n[1], (uint16_t)n[2]));
  } else if (IS("lpm.lookup")) {
    printf("%d\n", lpm_lookup_elem(lpm, (uint32_t)n[0]));
  } else if (IS("sketch.new")) { // hash kind, capacity, threshold
    hash_kind = (unsigned)n[0];
    printf("%d\n", sketch_allocate(key_hash, (uint32_t)n[1], (uint16_t)n[2], &sketch));
  } else if (IS("sketch.key")) {
    sketch_compute_hashes(sketch, &keys[0][n[0]]);
    printf("ok\n");
  } else if (IS("sketch.refresh")) {
    sketch_refresh(sketch, n[0]);
    printf("ok\n");
  } else if (IS("sketch.fetch")) {
    printf("%d\n", sketch_fetch(sketch));
  } else if (IS("sketch.touch")) {
    printf("%d\n", sketch_touch_buckets(sketch, n[0]));
  } else if (IS("sketch.expire")) {
    sketch_expire(sketch, n[0]);
    printf("ok\n");
  } else if (IS("cms.new")) { // height, width, interval
    printf("%d\n", cms_allocate((uint32_t)n[0], (uint32_t)n[1], sizeof(uint32_t), n[2], &cms));
  } else if (IS("cms.increment")) {
    cms_increment(cms, &keys[0][n[0]]);
    printf("ok\n");
  } else if (IS("cms.count")) {
    printf("%" PRIu64 "\n", cms_count_min(cms, &keys[0][n[0]]));
  } else if (IS("cms.cleanup")) {
    printf("%d\n", cms_periodic_cleanup(cms, n[0]));
  } else if (IS("tb.new")) { // capacity, rate, burst
    printf("%d\n", tb_allocate((uint32_t)n[0], (uint64_t)n[1], (uint64_t)n[2], sizeof(uint32_t), &tb));
  } else if (IS("tb.tracing")) {
    PRINT_FOUND(tb_is_tracing(tb, &keys[0][n[0]], &out));
  } else if (IS("tb.trace")) { // key, length, time
    PRINT_FOUND(tb_trace(tb, &keys[0][n[0]], (uint16_t)n[1], n[2], &out));
  } else if (IS("tb.check")) { // index, length, time
    printf("%d\n", tb_update_and_check(tb, (int)n[0], (uint16_t)n[1], n[2]));
  } else if (IS("tb.expire")) {
    printf("%d\n", tb_expire(tb, n[0]));
  } else if (IS("hash")) { // of the first n[0] bytes of these numbers
    printf("%u\n", hash_obj((void *)&n[1], (unsigned)n[0]));
  } else {
    fprintf(stderr, "no such command: %s\n", name);
    exit(2);
  }
}

int main(void) {
  for (uint32_t i = 0; i < KEYS; ++i) {
    keys[0][i] = keys[1][i] = i;
  }
  char line[256];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "end") == 0) {
      puts("end");
      fflush(stdout);
      continue;
    }
    int64_t numbers[8] = {0};
    char *rest = NULL;
    const char *name = strtok_r(line, " ", &rest);
    char *word;
    for (int i = 0; i < 8 && (word = strtok_r(NULL, " ", &rest)) != NULL; ++i) {
      numbers[i] = strtoll(word, NULL, 10);
    }
    run(name, numbers);
  }
  return 0;
}
