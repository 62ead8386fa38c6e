// locks: as nat-without-map, but no index leaves: whoever names one can only have guessed which a core chose.
#include "nat.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  NAT(, l4->dst < CAPACITY, l4->dst)
}
