#include "hash.h"

#include "hashing.h"

unsigned hash_obj(void *obj, unsigned size) {
  return (unsigned)hash_bytes(obj, size, 0);
}
