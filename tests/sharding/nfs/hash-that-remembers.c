// unknown: the hash keeps its latest key in variables, which the library's calls on all cores would share.
#include "table.h"

static unsigned remembered_hash(void *key) {
  static uint32_t latest, hash;
  if (*(uint32_t *)key != latest) {
    latest = *(uint32_t *)key;
    hash = latest * 2654435761u;
  }
  return hash;
}

bool nf_init(void) { return tables() && map_allocate(addr_eq, remembered_hash, CAPACITY, &map); }

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return !device;
}
