// Types of the functions by which maps compare and hash keys.
#ifndef LIBVIG_MAP_UTIL_H
#define LIBVIG_MAP_UTIL_H

#include <stdbool.h>

// Callers may size tables up to this; the implementation itself is bounded by memory only.
#define CAPACITY_UPPER_LIMIT 140000

typedef unsigned map_key_hash(void *key);
typedef bool map_keys_equality(void *a, void *b);

#endif
