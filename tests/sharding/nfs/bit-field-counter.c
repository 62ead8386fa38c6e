// locks: one bit-field is written before it is read, its neighbour in the same byte counts packets.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static struct {
    unsigned source : 3, count : 5;
  } f;
  f.source = ip->src_addr;
  f.count++;
  return f.count == 0 ? device : !device;
}
