// locks: as nat-without-map, but the ports of the last entries wrap around, and are looked up elsewhere.
#include "nat.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  NAT(l4->src = index + 65000, l4->dst >= 65000, l4->dst - 65000)
}
