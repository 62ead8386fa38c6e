// locks: a cell keeps the number of an index that has been given to others since, and it is compared.
#include "table.h"
static struct Map *fm; static struct Vector *fk, *fv;
struct pr { uint32_t s, d; };
static bool pr_eq(void *a, void *b) { return !memcmp(a,b,8); }
static unsigned pr_hash(void *a) { return *(unsigned*)a; }
static void z4(void *a) { memset(a,0,4); }
static void z8(void *a) { memset(a,0,8); }
bool nf_init(void) { return tables() && map_allocate(pr_eq,pr_hash,CAPACITY,&fm) && vector_allocate(8,CAPACITY,z8,&fk) && vector_allocate(4,CAPACITY,z4,&fv); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  struct pr f = { ip->src_addr, ip->dst_addr }; int fi, *link;
  if (map_get(fm, &f, &fi)) { vector_borrow(fv, fi, (void**)&link); bool same = *link == index; vector_return(fv, fi, link); return same ? !device : device; }
  if (!dchain_allocate_new_index(chain2, &fi, now)) return device;
  struct pr *q; vector_borrow(fk, fi, (void**)&q); *q = f; map_put(fm, q, fi); vector_return(fk, fi, q);
  vector_borrow(fv, fi, (void**)&link); *link = index; vector_return(fv, fi, link);
  return !device;
}
