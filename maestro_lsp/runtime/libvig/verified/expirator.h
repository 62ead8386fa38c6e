// Removal of old entries from a table: a DoubleChain that gives out the indices, with the Vector of keys and
// the Map, or the DoubleMap, that these indices belong to.
#ifndef LIBVIG_EXPIRATOR_H
#define LIBVIG_EXPIRATOR_H

#include "double-chain.h"
#include "double-map.h"
#include "map.h"
#include "vector.h"

typedef void entry_extract_key(void *entry, void **key);
typedef void entry_pack_key(void *entry, void *key);

// Each function returns how many entries it removed; "expired" means stamped strictly before `time`.

// Frees every expired index and erases its value, oldest first.
int expire_items(struct DoubleChain *chain, struct DoubleMap *map, vigor_time_t time);

// Frees every expired index and erases the key that the vector holds for it from the map, oldest first.
int expire_items_single_map(struct DoubleChain *chain, struct Vector *vector, struct Map *map, vigor_time_t time);

// Erases the keys vector[start] .. vector[end - 1] from the map, whatever their age. `end` is a bound, not a
// count, though some callers' parameter names suggest otherwise.
int expire_items_single_map_iteratively(struct Vector *vector, struct Map *map, int start, int end);

#endif
