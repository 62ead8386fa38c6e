#include "ether.h"

#include <string.h>

#include "hashing.h"

unsigned rte_ether_addr_hash(void *obj) {
  return (unsigned)hash_bytes(obj, sizeof(struct rte_ether_addr), 0);
}

bool rte_ether_addr_eq(void *a, void *b) {
  return memcmp(a, b, sizeof(struct rte_ether_addr)) == 0;
}

void rte_ether_addr_allocate(void *obj) {
  memset(obj, 0, sizeof(struct rte_ether_addr));
}
