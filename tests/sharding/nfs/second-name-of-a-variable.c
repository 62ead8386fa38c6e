// unknown: two names for one variable.
#include "table.h"
uint32_t counter;
extern uint32_t same_counter __attribute__((alias("counter")));
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t old = same_counter;
  counter = ip->src_addr;
  return old & 1 ? device : !device;
}
