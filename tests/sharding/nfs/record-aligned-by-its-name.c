// unknown: the alignment that a typedef adds to a record is the name's, which types here do not carry.
#include "table.h"

typedef struct {
  uint32_t count;
} slot __attribute__((aligned(8)));
static slot slots[2];

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (sizeof(slots) == 16) return slots[0].count++ & 1 ? device : !device;
  return device;
}
