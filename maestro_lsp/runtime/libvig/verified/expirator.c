// Expirator: takes indices back from a DoubleChain, oldest first, and the entries with them.
#include "expirator.h"

int expire_items(struct DoubleChain *chain, struct DoubleMap *map, vigor_time_t time) {
  int expired = 0;
  for (int index; dchain_expire_one_index(chain, &index, time); ++expired) {
    dmap_erase(map, index);
  }
  return expired;
}

static void erase_key_at(struct Vector *vector, struct Map *map, int index) {
  void *key;
  vector_borrow(vector, index, &key);
  void *stored = key;
  map_erase(map, key, &stored);
  vector_return(vector, index, key);
}

int expire_items_single_map(struct DoubleChain *chain, struct Vector *vector, struct Map *map, vigor_time_t time) {
  int expired = 0;
  for (int index; dchain_expire_one_index(chain, &index, time); ++expired) {
    erase_key_at(vector, map, index);
  }
  return expired;
}

int expire_items_single_map_iteratively(struct Vector *vector, struct Map *map, int start, int end) {
  unsigned before = map_size(map);
  for (int index = start; index < end; ++index) {
    erase_key_at(vector, map, index);
  }
  return (int)(before - map_size(map));
}
