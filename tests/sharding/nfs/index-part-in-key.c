// locks: two bits of the number of an index are part of a key.
#include "table.h"
struct two { uint32_t src; uint32_t part; };
static struct Map *seen; static struct Vector *sk;
static bool two_eq(void *a, void *b) { return !memcmp(a,b,8); }
static void two_clear(void *a) { memset(a,0,8); }
bool nf_init(void) { return tables() && map_allocate(two_eq,addr_hash,CAPACITY,&seen) && vector_allocate(8,CAPACITY,two_clear,&sk); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct two t = { ip->src_addr & 0xff, 0 };
  SOURCE
  t.part = index & 3; int j;
  if (map_get(seen, &t, &j)) return device;
  if (!dchain_allocate_new_index(chain2, &j, now)) return device;
  struct two *k; vector_borrow(sk, j, (void**)&k); *k = t; map_put(seen, k, j); vector_return(sk, j, k);
  return !device;
}
