// A map from keys to non-negative integers, usually indices that a DoubleChain gave out.
//
// The map stores the *pointer* to a key, not its bytes: the key must stay in place, unchanged, until it is
// erased. NFs keep keys in a Vector at the index that the map gives for them.
#ifndef LIBVIG_MAP_H
#define LIBVIG_MAP_H

#include "map-util.h"

struct Map;

// Makes an empty map for at most `capacity` keys. With CAPACITY_POW2 defined, capacity must be a power of two.
// Returns 1 and sets *map_out, or returns 0 and leaves it alone.
int map_allocate(map_keys_equality *keq, map_key_hash *khash, unsigned capacity, struct Map **map_out);

// Returns 1 and sets *value_out if the key is present, else returns 0 and leaves it alone.
int map_get(struct Map *map, void *key, int *value_out);

// Adds a key. Fewer than `capacity` keys may be present, and the key should be absent: a present one is replaced, where
// other implementations keep both.
void map_put(struct Map *map, void *key, int value);

// Removes a key and sets *trash to the pointer that was stored for it. An absent key changes nothing.
void map_erase(struct Map *map, void *key, void **trash);

// How many keys are present.
unsigned map_size(struct Map *map);

#endif
