// unknown: what runs when a variable goes counts all packets.
#include "table.h"
static uint64_t total;
static void count(int *n) { total += *n; }
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  int one __attribute__((cleanup(count))) = 1;
  return total > 100 ? device : !device;
}
