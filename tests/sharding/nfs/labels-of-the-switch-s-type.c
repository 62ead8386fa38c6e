// locks: a label has the type of what is switched on, so that -1 is this one, and all packets are counted.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static int count;
  int32_t class = ip->src_addr | 0xffffffff;
  switch (class) {
    case 0xffffffff: return ++count > 100 ? device : !device;
  }
  return !device;
}
