// unknown: the NIC's hash is another one in the parallel program.
#include "table.h"
#include <rte_mbuf.h>
INIT
int nf_process(uint16_t device, uint8_t **b, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  uint8_t *buffer = *b;
  PARSE
  SOURCE
  return mbuf->hash.rss & 1 ? device : !device;
}
