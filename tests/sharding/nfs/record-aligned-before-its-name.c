// locks: one counter for all packets; the alignment is the type's, and its size is as gcc has it.
#include "table.h"

typedef struct {
  uint32_t count;
} __attribute__((aligned(8))) slot;
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
