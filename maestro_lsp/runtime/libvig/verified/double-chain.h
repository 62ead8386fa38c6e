// An allocator of the integers [0, index_range) that remembers when each was last used and can take back
// the one unused for longest.
//
// The order is part of the interface: fresh indices come in ascending order, and an index that was freed or
// expired is the next one given out (last in, first out). Allocated indices are kept in the order of their
// latest allocation or rejuvenation, which is also the order in which they expire.
#ifndef LIBVIG_DOUBLE_CHAIN_H
#define LIBVIG_DOUBLE_CHAIN_H

#include "vigor-time.h"

#define IRANG_LIMIT (1048576)

struct DoubleChain;

// Makes an allocator with all indices free. Returns 1 and sets *chain_out, or returns 0 and leaves it alone.
int dchain_allocate(int index_range, struct DoubleChain **chain_out);

// Returns 1 and sets *index_out to a free index, stamped with `time`; returns 0 if there is none.
int dchain_allocate_new_index(struct DoubleChain *chain, int *index_out, vigor_time_t time);

// Stamps an allocated index with `time` and makes it the youngest. Returns 0 if it is not allocated.
int dchain_rejuvenate_index(struct DoubleChain *chain, int index, vigor_time_t time);

// Frees the oldest allocated index if its stamp is strictly before `time`: returns 1 and sets *index_out.
// Else returns 0.
int dchain_expire_one_index(struct DoubleChain *chain, int *index_out, vigor_time_t time);

// Whether the index is allocated, 1 or 0. False for any index outside the range.
int dchain_is_index_allocated(struct DoubleChain *chain, int index);

// Frees an index. Returns 0 if it is not allocated.
int dchain_free_index(struct DoubleChain *chain, int index);

#endif
