// locks: which cell of a constant vector is read is the number of the index.
#include "table.h"
static struct Vector *classes;
static void clear(void *c) { *(uint8_t *)c = 0; }
bool nf_init(void) {
  if (!tables() || !vector_allocate(1, CAPACITY, clear, &classes)) return false;
  for (int i = 0; i < CAPACITY; i++) {
    uint8_t *c;
    vector_borrow(classes, i, (void **)&c);
    *c = i % 3;
    vector_return(classes, i, c);
  }
  return true;
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint8_t *class;
  vector_borrow(classes, index, (void **)&class);
  bool pass = *class == 1;
  vector_return(classes, index, class);
  return pass ? !device : device;
}
