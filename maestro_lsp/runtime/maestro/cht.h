// cht_find_preferred_available_backend over a chain that cores share. Needs libVig's vector.h.
#pragma once

#include "maestro/dchain.h"

MAESTRO_API int maestro_cht_find_preferred_available_backend(uint64_t hash, struct Vector *cht,
                                                             struct maestro_dchain *active_backends,
                                                             uint32_t cht_height, uint32_t backend_capacity,
                                                             int *chosen_backend) {
  uint32_t first = (uint32_t)(hash % cht_height) * backend_capacity;
  for (uint32_t i = 0; i < backend_capacity; ++i) {
    uint32_t *preference;
    vector_borrow(cht, (int)(first + i), (void **)&preference);
    int backend = (int)*preference;
    vector_return(cht, (int)(first + i), preference);
    if (maestro_dchain_is_index_allocated(active_backends, backend)) {
      *chosen_backend = backend;
      return 1;
    }
  }
  return 0;
}
