// unknown: the NF's own expire_items_single_map does something else than libVig's.
#include "table.h"

static int calls;
int expire_items_single_map(struct DoubleChain *c, struct Vector *v, struct Map *m, int64_t time) {
  return ++calls;
}

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return !device;
}
