// unknown: nobody clears the fields for offloads when a packet arrives, so what an earlier packet left in the mbuf decides.
#include "table.h"
#include <rte_mbuf.h>

INIT

int nf_process(uint16_t device, uint8_t **packet, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  bool marked = mbuf->l2_len == 99;
  mbuf->l2_len = 99;
  return marked ? device : !device;
}
