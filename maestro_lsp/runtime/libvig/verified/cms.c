// Count-min sketch: `height` rows of `width` counters, a key counting in one of each row.
#include "cms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hashing.h"

struct CMS {
  uint32_t height;
  uint32_t width;
  uint32_t key_size;
  vigor_time_t cleanup_interval;
  vigor_time_t last_cleanup;
  bool clock_started;
  uint64_t counters[]; // height * width, row by row
};

// The key's counter in a row; `hash` is the running hash of the key, advanced from row to row.
static inline uint64_t *counter(struct CMS *cms, uint32_t row, uint64_t *hash) {
  *hash = mix64(*hash + GOLDEN_RATIO_64);
  return &cms->counters[(size_t)row * cms->width + reduce32((uint32_t)*hash, cms->width)];
}

int cms_allocate(uint32_t height, uint32_t width, uint32_t key_size, vigor_time_t cleanup_interval,
                 struct CMS **cms_out) {
  if (height == 0 || width == 0) {
    return 0;
  }
  struct CMS *cms = calloc(1, sizeof(*cms) + (size_t)height * width * sizeof(uint64_t));
  if (cms == NULL) {
    return 0;
  }
  cms->height = height;
  cms->width = width;
  cms->key_size = key_size;
  cms->cleanup_interval = cleanup_interval;
  *cms_out = cms;
  return 1;
}

void cms_increment(struct CMS *cms, void *key) {
  uint64_t hash = hash_bytes(key, cms->key_size, 0);
  for (uint32_t row = 0; row < cms->height; ++row) {
    ++*counter(cms, row, &hash);
  }
}

uint64_t cms_count_min(struct CMS *cms, void *key) {
  uint64_t hash = hash_bytes(key, cms->key_size, 0);
  uint64_t min = UINT64_MAX;
  for (uint32_t row = 0; row < cms->height; ++row) {
    uint64_t count = *counter(cms, row, &hash);
    min = count < min ? count : min;
  }
  return min;
}

int cms_periodic_cleanup(struct CMS *cms, vigor_time_t now) {
  if (!cms->clock_started) {
    cms->clock_started = true;
    cms->last_cleanup = now;
    return 0;
  }
  if (now - cms->last_cleanup < cms->cleanup_interval) {
    return 0;
  }
  memset(cms->counters, 0, (size_t)cms->height * cms->width * sizeof(uint64_t));
  cms->last_cleanup = now;
  return 1;
}
