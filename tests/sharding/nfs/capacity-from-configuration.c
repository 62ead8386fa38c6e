// locks: large tables drop the sources that came late.
#include "table.h"
struct nf_config { uint32_t flows; } config;
bool nf_init(void) { return map_allocate(addr_eq, addr_hash, config.flows, &map) && vector_allocate(4, config.flows, addr_clear, &keys) && vector_allocate(sizeof(struct cell), config.flows, cell_clear, &cells) && dchain_allocate(config.flows, &chain); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  return index >= 65536 ? device : !device;
}
