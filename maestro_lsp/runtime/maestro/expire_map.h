// expire_items_single_map over a chain that cores share. Needs libVig's map.h and vector.h.
#pragma once

#include "maestro/dchain.h"

MAESTRO_API int maestro_expire_items_single_map(struct maestro_dchain *chain, struct Vector *vector, struct Map *map,
                                                int64_t time) {
  int expired = 0;
  for (int index; maestro_dchain_expire_one_index(chain, &index, time); ++expired) {
    void *key;
    vector_borrow(vector, index, &key);
    void *stored = key;
    map_erase(map, key, &stored);
    vector_return(vector, index, key);
  }
  return expired;
}
