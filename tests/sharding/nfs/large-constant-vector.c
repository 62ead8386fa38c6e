// shared-nothing: the classes of ports stand in a vector that start-up fills and nobody changes.
#include "table.h"
static struct Vector *classes;
static void clear(void *c) { *(uint8_t *)c = 0; }
bool nf_init(void) {
  if (!tables() || !vector_allocate(1, 1024, clear, &classes)) return false;
  for (int i = 0; i < 1024; i++) {
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
  vector_borrow(classes, l4->dst & 1023, (void **)&class);
  bool pass = *class == 1;
  vector_return(classes, l4->dst & 1023, class);
  struct cell *c;
  vector_borrow(cells, index, (void **)&c);
  c->count++;
  pass = pass || c->count < 100;
  vector_return(cells, index, c);
  return pass ? !device : device;
}
