// locks: an index is part of a key that outlives it: whoever gets the number next is found there.
#include "table.h"
struct two { uint32_t src; uint32_t index; };
static struct Map *seen; static struct Vector *seenkeys; static struct DoubleChain *seenchain;
static bool two_eq(void *a, void *b) { struct two *x=a,*y=b; return x->src==y->src && x->index==y->index; }
static unsigned two_hash(void *a) { return *(unsigned*)a; }
static void two_clear(void *a) { memset(a,0,8); }
struct flow { uint32_t src; uint16_t sp, dp; };
static struct Map *fm; static struct Vector *fk; static struct DoubleChain *fc;
static bool fl_eq(void *a, void *b) { return !memcmp(a,b,8); }
bool nf_init(void) { return map_allocate(two_eq,two_hash,CAPACITY,&seen) && vector_allocate(8,CAPACITY,two_clear,&seenkeys) && dchain_allocate(CAPACITY,&seenchain)
 && map_allocate(fl_eq,two_hash,CAPACITY,&fm) && vector_allocate(8,CAPACITY,two_clear,&fk) && dchain_allocate(CAPACITY,&fc); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  expire_items_single_map(fc, fk, fm, now - LAG);
  struct flow f = { ip->src_addr, l4->src, l4->dst };
  int i;
  if (map_get(fm, &f, &i)) { dchain_rejuvenate_index(fc, i, now); }
  else {
    if (!dchain_allocate_new_index(fc, &i, now)) return device;
    struct flow *k; vector_borrow(fk, i, (void**)&k); *k = f; map_put(fm, k, i); vector_return(fk, i, k);
  }
  struct two t = { ip->src_addr, i };
  int j;
  if (map_get(seen, &t, &j)) return device;
  if (!dchain_allocate_new_index(seenchain, &j, now)) return device;
  struct two *k; vector_borrow(seenkeys, j, (void**)&k); *k = t; map_put(seen, k, j); vector_return(seenkeys, j, k);
  return !device;
}
