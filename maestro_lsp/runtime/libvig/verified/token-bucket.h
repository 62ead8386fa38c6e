// A table of token buckets, one for each key: a packet passes if the bucket of its key holds as many tokens
// as the packet has bytes. A bucket holds at most `burst` bytes and gains `rate` bytes a second.
#ifndef LIBVIG_TOKEN_BUCKET_H
#define LIBVIG_TOKEN_BUCKET_H

#include <stdint.h>

#include "vigor-time.h"

struct TokenBucket;

// Makes a table for `capacity` keys of key_size bytes (a power of two with CAPACITY_POW2 defined); rate in
// bytes per second and burst in bytes, both positive.
// Returns 1 and sets *tb_out, or returns 0 and leaves it alone.
int tb_allocate(uint32_t capacity, uint64_t rate, uint64_t burst, uint32_t key_size, struct TokenBucket **tb_out);

// Whether the key has a bucket: returns 1 and sets *index_out, or returns 0.
int tb_is_tracing(struct TokenBucket *tb, void *key, int *index_out);

// Starts a bucket for a key that has none, full but for this packet: returns 1 and sets *index_out. Returns
// 0 if the table is full or the packet is larger than a bucket.
int tb_trace(struct TokenBucket *tb, void *key, uint16_t pkt_len, vigor_time_t time, int *index_out);

// Refills bucket `index` up to `time`. Returns 1 and takes the packet's bytes if there are as many, else 0.
int tb_update_and_check(struct TokenBucket *tb, int index, uint16_t pkt_len, vigor_time_t time);

// Drops the buckets that at `time` (now, not a limit in the past) have been idle long enough to be full
// again, so nothing is forgotten by it. Returns how many.
int tb_expire(struct TokenBucket *tb, vigor_time_t time);

#endif
