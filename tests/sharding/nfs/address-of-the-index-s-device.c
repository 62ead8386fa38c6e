// locks: which device's address leaves depends on the number of the index
#include "table.h"
int rte_eth_macaddr_get(uint16_t, void *);
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE uint8_t m[6]; rte_eth_macaddr_get(index & 1, m); ip->time_to_live = m[5];
  return 1 - device;
}
