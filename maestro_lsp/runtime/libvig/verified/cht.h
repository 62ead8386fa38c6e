// Consistent hashing: a table that gives each hash bucket its own order of preference among the backends, so
// that a backend which comes or goes moves few flows (as in Maglev, NSDI 2016, section 3.4).
//
// The table is a Vector of uint32_t with cht_height * backend_capacity elements: bucket b prefers backends
// cht[b * backend_capacity], cht[b * backend_capacity + 1], ...
#ifndef LIBVIG_CHT_H
#define LIBVIG_CHT_H

#include <stdint.h>

#include "double-chain.h"
#include "vector.h"

#define MAX_CHT_HEIGHT 40000

// Fills the table. cht_height must be a prime above 1 and backend_capacity below it, which makes every
// backend's walk over the buckets a permutation. Returns 0 if out of memory, else 1.
int cht_fill_cht(struct Vector *cht, uint32_t cht_height, uint32_t backend_capacity);

// The first backend in the order of the hash's bucket whose index is allocated in active_backends: returns 1
// and sets *chosen_backend, or returns 0 if there is none.
int cht_find_preferred_available_backend(uint64_t hash, struct Vector *cht, struct DoubleChain *active_backends,
                                         uint32_t cht_height, uint32_t backend_capacity, int *chosen_backend);

#endif
