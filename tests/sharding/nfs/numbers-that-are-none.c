// locks: zero by zero is no number, and one by minus zero is below all; all packets are counted.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static int count;
  double zero = 0, none = zero / zero, least = 1 / -zero;
  if (none != none && !(none > 0) && least < -1e308 && ++count > 100) return device;
  return !device;
}
