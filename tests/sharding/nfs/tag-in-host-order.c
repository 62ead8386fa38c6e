// shared-nothing: hosts behind a tag, which the program compares in its own byte order.
#include "table.h"
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  struct rte_ether_hdr *ether = (struct rte_ether_hdr *)buffer;
  if (len < 60 || rte_be_to_cpu_16(ether->ether_type) != 0x8100) return device;
  if (rte_be_to_cpu_16(*(uint16_t *)(buffer + 16)) != 0x0800) return device;
  struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(buffer + 18);
  EXPIRE
  SOURCE
  return !device;
}
