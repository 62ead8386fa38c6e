// locks: how variables are aligned says nothing; members keep their alignment, and all packets are counted.
#include "table.h"
#include <rte_common.h>

static struct {
  uint32_t packets;
} total __rte_cache_aligned;

struct per_port {
  uint8_t port;
  uint32_t packets __attribute__((aligned(16)));
};

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static uint32_t ports[4] __attribute__((aligned(64)));
  ports[l4->src & 3]++;
  return sizeof(struct per_port) == 32 && ++total.packets > 100 ? device : !device;
}
