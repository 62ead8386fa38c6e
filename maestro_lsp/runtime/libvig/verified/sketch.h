// A count-min sketch that forgets: "has this key been seen more than `threshold` times lately?", never
// answered with a false no. One key at a time: the calls below concern the key last given to
// sketch_compute_hashes.
#ifndef LIBVIG_SKETCH_H
#define LIBVIG_SKETCH_H

#include <stdint.h>

#include "map-util.h"
#include "vigor-time.h"

struct Sketch;

// Makes an empty sketch with `capacity` buckets in each row.
// Returns 1 and sets *sketch_out, or returns 0 and leaves it alone.
int sketch_allocate(map_key_hash *khash, uint32_t capacity, uint16_t threshold, struct Sketch **sketch_out);

// Makes `key` the key that the other calls speak of.
void sketch_compute_hashes(struct Sketch *sketch, void *key);

// Keeps the key's buckets from expiring until they are unused since `now`. Counts do not change.
void sketch_refresh(struct Sketch *sketch, vigor_time_t now);

// 1 if the key's estimated count is above the threshold, else 0.
int sketch_fetch(struct Sketch *sketch);

// Counts the key once and refreshes it. Returns 1.
int sketch_touch_buckets(struct Sketch *sketch, vigor_time_t now);

// Empties every bucket last used strictly before `time`.
void sketch_expire(struct Sketch *sketch, vigor_time_t time);

#endif
