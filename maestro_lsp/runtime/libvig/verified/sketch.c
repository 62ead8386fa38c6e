// Sketch: five rows of buckets, a key touching one in each; its estimate is the smallest of the five counts.
// A bucket carries the time of its last use, so expiry only has to move a limit: what was last used before
// the limit counts as empty.
#include "sketch.h"

#include <stdlib.h>

#include "hashing.h"

#define ROWS 5

struct bucket {
  vigor_time_t used;
  uint32_t count; // 0: empty, whatever `used` says
};

struct Sketch {
  map_key_hash *khash;
  uint32_t width;
  uint32_t threshold;
  vigor_time_t limit;         // buckets last used before it are empty
  struct bucket *current[ROWS]; // the buckets of the current key
  struct bucket buckets[];    // ROWS * width
};

static inline uint32_t live_count(const struct Sketch *sketch, const struct bucket *bucket) {
  return bucket->used < sketch->limit ? 0 : bucket->count;
}

int sketch_allocate(map_key_hash *khash, uint32_t capacity, uint16_t threshold, struct Sketch **sketch_out) {
  if (capacity == 0) {
    return 0;
  }
  struct Sketch *sketch = calloc(1, sizeof(*sketch) + (size_t)ROWS * capacity * sizeof(struct bucket));
  if (sketch == NULL) {
    return 0;
  }
  sketch->khash = khash;
  sketch->width = capacity;
  sketch->threshold = threshold;
  sketch->limit = INT64_MIN;
  for (int row = 0; row < ROWS; ++row) {
    sketch->current[row] = &sketch->buckets[(size_t)row * capacity];
  }
  *sketch_out = sketch;
  return 1;
}

void sketch_compute_hashes(struct Sketch *sketch, void *key) {
  uint64_t hash = sketch->khash(key);
  for (int row = 0; row < ROWS; ++row) {
    hash = mix64(hash + GOLDEN_RATIO_64);
    size_t column = reduce32((uint32_t)hash, sketch->width);
    sketch->current[row] = &sketch->buckets[(size_t)row * sketch->width + column];
  }
}

void sketch_refresh(struct Sketch *sketch, vigor_time_t now) {
  for (int row = 0; row < ROWS; ++row) {
    if (live_count(sketch, sketch->current[row]) > 0) {
      sketch->current[row]->used = now;
    }
  }
}

int sketch_fetch(struct Sketch *sketch) {
  for (int row = 0; row < ROWS; ++row) {
    if (live_count(sketch, sketch->current[row]) <= sketch->threshold) {
      return 0;
    }
  }
  return 1;
}

int sketch_touch_buckets(struct Sketch *sketch, vigor_time_t now) {
  for (int row = 0; row < ROWS; ++row) {
    struct bucket *bucket = sketch->current[row];
    uint32_t count = live_count(sketch, bucket);
    bucket->count = count == UINT32_MAX ? count : count + 1;
    bucket->used = now;
  }
  return 1;
}

void sketch_expire(struct Sketch *sketch, vigor_time_t time) {
  if (time > sketch->limit) {
    sketch->limit = time;
  }
}
