// locks: an array of the latest index starts with zeros, and zero is an index that one source of each core has.
#include "table.h"
static struct Vector *last;
static void z4(void *a) { memset(a,0,4); }
bool nf_init(void) { return tables() && vector_allocate(4, CAPACITY, z4, &last); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  int *l; vector_borrow(last, (source >> 24) & 255, (void**)&l);
  bool again = *l == index;
  *l = index;
  vector_return(last, (source >> 24) & 255, l);
  return again ? !device : device;
}
