// unknown: what was left in an mbuf is there for the next packet in it.
#include "table.h"
#include <rte_mbuf.h>
INIT
int nf_process(uint16_t device, uint8_t **packet, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  uint8_t *buffer = *packet;
  PARSE
  EXPIRE
  SOURCE
  mbuf->dynfield1[0]++;
  return mbuf->dynfield1[0] > 100 ? device : !device;
}
