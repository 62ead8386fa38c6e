// locks: whether the UDP entry got the number after the TCP entry's.
#include "table.h"
struct hp { uint32_t s; uint32_t p; };
static struct Map *hm; static struct Vector *hk;
static bool h_eq(void *a, void *b) { struct hp *x=a,*y=b; return x->s==y->s && x->p==y->p; }
static unsigned h_hash(void *a) { return *(uint32_t*)a; }
static void z8(void *a) { memset(a,0,8); }
bool nf_init(void) { return tables() && map_allocate(h_eq,h_hash,CAPACITY,&hm) && vector_allocate(8,CAPACITY,z8,&hk); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct hp t = { ip->src_addr, 6 }, u = { ip->src_addr, 17 }, mine = { ip->src_addr, ip->next_proto_id };
  int i, j;
  if (map_get(hm, &t, &i) && map_get(hm, &u, &j)) {
    struct cell *c; vector_borrow(cells, i, (void**)&c);
    bool next = c->count == (uint32_t)j;
    vector_return(cells, i, c);
    return next ? device : !device;
  }
  if (map_get(hm, &mine, &i)) return device;
  if (!dchain_allocate_new_index(chain, &i, now)) return device;
  struct hp *k; vector_borrow(hk, i, (void**)&k); *k = mine; map_put(hm, k, i); vector_return(hk, i, k);
  struct cell *c; vector_borrow(cells, i, (void**)&c); c->count = i + 1; c->other = 0; c->time = now; vector_return(cells, i, c);
  return device;
}
