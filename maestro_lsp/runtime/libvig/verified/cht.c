// Consistent hashing table: every backend walks all buckets in its own order, and in round i each backend
// signs up at the i-th bucket of its walk. A bucket's preferences are the order of signing up.
#include "cht.h"

#include <stdlib.h>

// Walk of backend j: bucket offset + i * step (mod height). The height is prime, so any step in
// [1, height - 1] reaches every bucket. Steps differ between backends, so that walks do not coincide, and so
// do offsets, so that round 0 does not send everyone to one bucket; 31 just keeps neighbours apart.
static uint32_t walk(uint32_t backend, uint32_t i, uint32_t height) {
  uint64_t offset = (uint64_t)backend * 31;
  uint64_t step = backend % (height - 1) + 1;
  return (uint32_t)((offset + step * i) % height);
}

int cht_fill_cht(struct Vector *cht, uint32_t cht_height, uint32_t backend_capacity) {
  uint32_t *signed_up = calloc(cht_height, sizeof(*signed_up)); // how many preferences each bucket has so far
  if (signed_up == NULL) {
    return 0;
  }
  for (uint32_t i = 0; i < cht_height; ++i) {
    for (uint32_t backend = 0; backend < backend_capacity; ++backend) {
      uint32_t bucket = walk(backend, i, cht_height);
      int at = (int)(bucket * backend_capacity + signed_up[bucket]++);
      uint32_t *preference;
      vector_borrow(cht, at, (void **)&preference);
      *preference = backend;
      vector_return(cht, at, preference);
    }
  }
  free(signed_up);
  return 1;
}

int cht_find_preferred_available_backend(uint64_t hash, struct Vector *cht, struct DoubleChain *active_backends,
                                         uint32_t cht_height, uint32_t backend_capacity, int *chosen_backend) {
  uint32_t first = (uint32_t)(hash % cht_height) * backend_capacity;
  for (uint32_t i = 0; i < backend_capacity; ++i) {
    uint32_t *preference;
    vector_borrow(cht, (int)(first + i), (void **)&preference);
    int backend = (int)*preference;
    vector_return(cht, (int)(first + i), preference);
    if (dchain_is_index_allocated(active_backends, backend)) {
      *chosen_backend = backend;
      return 1;
    }
  }
  return 0;
}
