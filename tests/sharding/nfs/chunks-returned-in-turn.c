// shared-nothing: the latest chunks are returned, and ports are borrowed again.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  packet_return_chunk(buffer, l4);
  packet_return_chunk(buffer, ip);
  uint8_t *again;
  packet_borrow_next_chunk(buffer, 20, (void **)&again);
  packet_borrow_next_chunk(buffer, 4, (void **)&l4);
  static uint32_t counts[65536];
  return ++counts[l4->src] > 100 ? device : !device;
}
