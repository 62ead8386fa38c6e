// Map: open addressing with linear probing. A probe reads consecutive slots, four to a cache line, and looks
// at a key (another line) only if its full hash matches. Erasing shifts later slots back instead of leaving
// tombstones, so tables under churn stay as fast as fresh ones.
#include "map.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "hashing.h"
#include "internal.h"

struct slot {
  void *key; // NULL: the slot is empty
  unsigned hash;
  int value;
};

struct Map {
  struct slot *slots;
  unsigned mask;  // number of slots, a power of two, minus one
  unsigned shift; // takes a 64-bit product to its bits that number a slot
  unsigned capacity;
  unsigned size;
  map_keys_equality *keq;
  map_key_hash *khash;
};

// Where the search for a hash starts. User hashes may differ in high bits only, so all bits take part.
static inline unsigned home(const struct Map *map, unsigned hash) {
  return (unsigned)((hash * GOLDEN_RATIO_64) >> map->shift);
}

// The slot of the key or, if it is absent, the empty slot where it would go. There is always an empty one.
static inline struct slot *find(const struct Map *map, void *key, unsigned hash) {
  for (unsigned i = home(map, hash);; i = (i + 1) & map->mask) {
    struct slot *slot = &map->slots[i];
    if (slot->key == NULL || (slot->hash == hash && map->keq(slot->key, key))) {
      return slot;
    }
  }
}

int map_allocate(map_keys_equality *keq, map_key_hash *khash, unsigned capacity, struct Map **map_out) {
#ifdef CAPACITY_POW2
  if (capacity == 0 || (capacity & (capacity - 1)) != 0) {
    return 0;
  }
#endif
  // At most three quarters full: beyond that, probe sequences of linear probing grow fast.
  unsigned bits = 1;
  while (((uint64_t)1 << bits) * 3 / 4 < capacity) {
    ++bits;
  }
  struct Map *map = malloc(sizeof(*map));
  struct slot *slots = calloc((size_t)1 << bits, sizeof(*slots));
  if (map == NULL || slots == NULL) {
    free(map);
    free(slots);
    return 0;
  }
  *map = (struct Map){
    .slots = slots,
    .mask = (unsigned)(((uint64_t)1 << bits) - 1),
    .shift = 64 - bits,
    .capacity = capacity,
    .keq = keq,
    .khash = khash,
  };
  *map_out = map;
  return 1;
}

void map_free(struct Map *map) {
  free(map->slots);
  free(map);
}

int map_get(struct Map *map, void *key, int *value_out) {
  const struct slot *slot = find(map, key, map->khash(key));
  if (slot->key == NULL) {
    return 0;
  }
  *value_out = slot->value;
  return 1;
}

void map_put(struct Map *map, void *key, int value) {
  unsigned hash = map->khash(key);
  struct slot *slot = find(map, key, hash);
  if (slot->key == NULL) {
    assert(map->size < map->capacity && "map_put on a full map");
    ++map->size;
  }
  *slot = (struct slot){.key = key, .hash = hash, .value = value};
}

void map_erase(struct Map *map, void *key, void **trash) {
  struct slot *slot = find(map, key, map->khash(key));
  if (slot->key == NULL) {
    return;
  }
  *trash = slot->key;
  --map->size;
  // Close the gap: a later slot of the same run may move into it unless that is before the slot's home.
  unsigned gap = (unsigned)(slot - map->slots);
  for (unsigned i = (gap + 1) & map->mask; map->slots[i].key != NULL; i = (i + 1) & map->mask) {
    unsigned from_home = (i - home(map, map->slots[i].hash)) & map->mask;
    unsigned from_gap = (i - gap) & map->mask;
    if (from_home >= from_gap) {
      map->slots[gap] = map->slots[i];
      gap = i;
    }
  }
  map->slots[gap].key = NULL;
}

unsigned map_size(struct Map *map) {
  return map->size;
}
