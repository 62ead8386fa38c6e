// shared-nothing: both directions of a conversation have one key, the addresses in order.
#include "table.h"

struct pair { uint32_t lo, hi; };
static bool pair_eq(void *a, void *b) { struct pair *x=a,*y=b; return x->lo==y->lo && x->hi==y->hi; }
static unsigned pair_hash(void *a) { struct pair *x=a; return x->lo ^ x->hi; }
static void pair_clear(void *a) { memset(a,0,8); }
static struct Map *pm; static struct Vector *pk;
bool nf_init(void) { return tables() && map_allocate(pair_eq,pair_hash,CAPACITY,&pm) && vector_allocate(8,CAPACITY,pair_clear,&pk); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  expire_items_single_map(chain, pk, pm, now - LAG);
  struct pair k;
  if (ip->src_addr < ip->dst_addr) { k.lo = ip->src_addr; k.hi = ip->dst_addr; } else { k.lo = ip->dst_addr; k.hi = ip->src_addr; }
  int index;
  if (map_get(pm, &k, &index)) { dchain_rejuvenate_index(chain, index, now); return !device; }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  struct pair *key;
  vector_borrow(pk, index, (void **)&key);
  *key = k;
  map_put(pm, key, index);
  vector_return(pk, index, key);
  return device;
}
