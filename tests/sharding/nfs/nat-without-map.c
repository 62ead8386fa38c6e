// shared-nothing: replies go on only if they come from the address that the entry was made for.
#include "nat.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  NAT(l4->src = index, l4->dst < CAPACITY, l4->dst)
}
