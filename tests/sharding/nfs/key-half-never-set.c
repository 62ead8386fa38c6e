// unknown: half of the key is what stood on the stack, and that may be another packet's.
#include "table.h"
struct key {
  uint32_t a;
  uint16_t b;
};
static struct Map *by_key;
static struct Vector *of_key;
static void clear(void *k) { memset(k, 0, sizeof(struct key)); }
static unsigned hash(void *k) { return *(uint32_t *)k; }
static bool equal(void *a, void *b) { return !memcmp(a, b, sizeof(struct key)); }
bool nf_init(void) {
  return tables() && map_allocate(equal, hash, CAPACITY, &by_key) && vector_allocate(sizeof(struct key), CAPACITY, clear, &of_key);
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct key f;
  f.a = ip->src_addr;
  int i;
  if (map_get(by_key, &f, &i)) return !device;
  if (!dchain_allocate_new_index(chain, &i, now)) return device;
  struct key *k;
  vector_borrow(of_key, i, (void **)&k);
  *k = f;
  map_put(by_key, k, i);
  vector_return(of_key, i, k);
  return device;
}
