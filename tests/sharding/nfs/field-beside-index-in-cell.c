// locks: a cell holds an index and a port, and the port is used as an index.
#include "table.h"
static struct Map *fm; static struct Vector *fk, *fv;
struct pr { uint32_t s, d; };
struct link { int host; int port; };
static bool pr_eq(void *a, void *b) { return !memcmp(a,b,8); }
static unsigned pr_hash(void *a) { return *(unsigned*)a; }
static void z8(void *a) { memset(a,0,8); }
bool nf_init(void) { return tables() && map_allocate(pr_eq,pr_hash,CAPACITY,&fm) && vector_allocate(8,CAPACITY,z8,&fk) && vector_allocate(8,CAPACITY,z8,&fv); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  struct pr f = { ip->src_addr, ip->dst_addr }; int fi, hi; struct link *link;
  uint32_t s = f.s;
  if (map_get(fm, &f, &fi)) { vector_borrow(fv, fi, (void**)&link); hi = link->port; vector_return(fv, fi, link); }
  else {
    if (!map_get(map, &s, &hi)) {
    if (!dchain_allocate_new_index(chain, &hi, now)) return device;
    uint32_t *k; vector_borrow(keys, hi, (void**)&k); *k = s; map_put(map, k, hi); vector_return(keys, hi, k);
    struct cell *c; vector_borrow(cells, hi, (void**)&c); memset(c, 0, sizeof *c); vector_return(cells, hi, c);
    }
    if (!dchain_allocate_new_index(chain2, &fi, now)) return device;
    struct pr *q; vector_borrow(fk, fi, (void**)&q); *q = f; map_put(fm, q, fi); vector_return(fk, fi, q);
    vector_borrow(fv, fi, (void**)&link); link->host = hi; link->port = l4->dst & 1023; vector_return(fv, fi, link);
  }
  struct cell *c; vector_borrow(cells, hi, (void**)&c); c->count++; bool over = c->count > 9; vector_return(cells, hi, c);
  return over ? device : !device;
}
