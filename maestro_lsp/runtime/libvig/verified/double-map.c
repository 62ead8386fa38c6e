// DoubleMap: the values in one array, and for each key a Map from the key, where it lies inside its value,
// to the value's index.
#include "double-map.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "internal.h"
#include "map.h"

struct DoubleMap {
  struct Map *map_a;
  struct Map *map_b;
  char *values;
  size_t value_size;
  unsigned capacity;
  uq_value_copy *copy;
  uq_value_destr *destroy;
  dmap_extract_keys *extract_keys;
  dmap_pack_keys *pack_keys;
};

static inline char *value_at(const struct DoubleMap *map, int index) {
  assert((unsigned)index < map->capacity && "index outside the double map");
  return map->values + (size_t)index * map->value_size;
}

int dmap_allocate(map_keys_equality *eq_a, map_key_hash *hash_a, map_keys_equality *eq_b, map_key_hash *hash_b,
                  int value_size, uq_value_copy *copy, uq_value_destr *destroy, dmap_extract_keys *extract_keys,
                  dmap_pack_keys *pack_keys, unsigned capacity, unsigned keys_capacity, struct DoubleMap **map_out) {
  struct DoubleMap *map = malloc(sizeof(*map));
  if (map == NULL) {
    return 0;
  }
  *map = (struct DoubleMap){
    .values = calloc(capacity > 0 ? capacity : 1, (size_t)value_size),
    .value_size = (size_t)value_size,
    .capacity = capacity,
    .copy = copy,
    .destroy = destroy,
    .extract_keys = extract_keys,
    .pack_keys = pack_keys,
  };
  if (map->values == NULL || !map_allocate(eq_a, hash_a, keys_capacity, &map->map_a)) {
    free(map->values);
    free(map);
    return 0;
  }
  if (!map_allocate(eq_b, hash_b, keys_capacity, &map->map_b)) {
    map_free(map->map_a);
    free(map->values);
    free(map);
    return 0;
  }
  *map_out = map;
  return 1;
}

int dmap_get_a(struct DoubleMap *map, void *key, int *index) {
  return map_get(map->map_a, key, index);
}

int dmap_get_b(struct DoubleMap *map, void *key, int *index) {
  return map_get(map->map_b, key, index);
}

int dmap_put(struct DoubleMap *map, void *value, int index) {
  char *own = value_at(map, index);
  void *key_a = NULL;
  void *key_b = NULL;
  map->copy(own, value);
  map->extract_keys(own, &key_a, &key_b);
  map_put(map->map_a, key_a, index);
  map_put(map->map_b, key_b, index);
  map->pack_keys(own, key_a, key_b);
  return 1;
}

void dmap_get_value(struct DoubleMap *map, int index, void *value_out) {
  map->copy(value_out, value_at(map, index));
}

int dmap_erase(struct DoubleMap *map, int index) {
  char *own = value_at(map, index);
  void *key_a = NULL;
  void *key_b = NULL;
  map->extract_keys(own, &key_a, &key_b);
  map_erase(map->map_a, key_a, &key_a);
  map_erase(map->map_b, key_b, &key_b);
  map->pack_keys(own, key_a, key_b);
  map->destroy(own);
  return 1;
}

unsigned dmap_size(struct DoubleMap *map) {
  return map_size(map->map_a);
}
