// A table of values that two different keys lead to, both keys being part of the value. The caller gives
// each value its index, which a DoubleChain usually chose.
#ifndef LIBVIG_DOUBLE_MAP_H
#define LIBVIG_DOUBLE_MAP_H

#include <stdint.h>

#include "map-util.h"

struct DoubleMap;

typedef void uq_value_copy(char *dst, void *src);                     // copies a value
typedef void uq_value_destr(void *value);                             // releases what a value owns, not its memory
typedef void dmap_extract_keys(void *value, void **key_a, void **key_b); // points at the keys inside a value
typedef void dmap_pack_keys(void *value, void *key_a, void *key_b);   // takes the keys back after an extract

// Makes an empty table of `capacity` values of `value_size` bytes; keys_capacity bounds each of the two key
// maps (a power of two with CAPACITY_POW2 defined).
// Returns 1 and sets *map_out, or returns 0 and leaves it alone.
int dmap_allocate(map_keys_equality *eq_a, map_key_hash *hash_a, map_keys_equality *eq_b, map_key_hash *hash_b,
                  int value_size, uq_value_copy *copy, uq_value_destr *destroy, dmap_extract_keys *extract_keys,
                  dmap_pack_keys *pack_keys, unsigned capacity, unsigned keys_capacity, struct DoubleMap **map_out);

// The index of the value with this first (second) key: returns 1 and sets *index, or returns 0.
int dmap_get_a(struct DoubleMap *map, void *key, int *index);
int dmap_get_b(struct DoubleMap *map, void *key, int *index);

// Stores a copy of *value at a free index, 0 <= index < capacity. Neither of its keys may be present.
// Returns 1.
int dmap_put(struct DoubleMap *map, void *value, int index);

// Copies the value at an index in use to *value_out.
void dmap_get_value(struct DoubleMap *map, int index, void *value_out);

// Removes the value at an index in use. Returns 1.
int dmap_erase(struct DoubleMap *map, int index);

// How many values are stored.
unsigned dmap_size(struct DoubleMap *map);

#endif
