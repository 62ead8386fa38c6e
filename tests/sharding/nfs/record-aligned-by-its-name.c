// unknown: the alignment that a typedef adds to a record is the name's, which types here do not carry.
#include "table.h"

typedef struct {
  uint32_t count;
} slot __attribute__((aligned(8)));
static struct {
  uint32_t before;
  slot slot;
} pair;

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (sizeof(pair) == 16) return pair.slot.count++ & 1 ? device : !device;
  return device;
}
