// expire_items over a chain that cores share. Needs libVig's double-map.h.
#pragma once

#include "maestro/dchain.h"

MAESTRO_API int maestro_expire_items(struct maestro_dchain *chain, struct DoubleMap *map, int64_t time) {
  int expired = 0;
  for (int index; maestro_dchain_expire_one_index(chain, &index, time); ++expired) {
    dmap_erase(map, index);
  }
  return expired;
}
