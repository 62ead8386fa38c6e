// unknown: before the packet's first byte stands what an earlier packet left in the buffer.
#include "table.h"
#include <rte_mbuf.h>

INIT

int nf_process(uint16_t device, uint8_t **packet, uint16_t len, int64_t now, struct rte_mbuf *mbuf) {
  uint8_t *start = mbuf->buf_addr;
  bool marked = *start == 99;
  *start = 99;
  return marked ? device : !device;
}
