// locks: the first chunk is returned, so the next one begins with the MAC addresses, and not behind what was borrowed last.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  packet_return_chunk(buffer, ether);
  struct ports *again;
  packet_borrow_next_chunk(buffer, 4, (void **)&again);
  static uint32_t counts[65536];
  return ++counts[again->dst] > 100 ? device : !device;
}
