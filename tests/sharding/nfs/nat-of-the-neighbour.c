// locks: as nat-without-map, but a reply finds the entry beside the one that was made for it.
#include "nat.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  NAT(l4->src = index, l4->dst < CAPACITY, l4->dst ^ 1)
}
