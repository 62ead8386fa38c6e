// unknown: every core does something else.
#include "table.h"
#include <rte_lcore.h>

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  return rte_lcore_id() & 1 ? device : !device;
}
