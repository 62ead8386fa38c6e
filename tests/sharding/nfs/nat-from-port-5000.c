// shared-nothing: as nat-without-map, with ports from 5000 on.
#include "nat.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  NAT(l4->src = index + 5000, l4->dst >= 5000, l4->dst - 5000)
}
