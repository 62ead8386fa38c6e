// locks: a local table is changed between two reads, so packets are counted.
#include "table.h"
static uint32_t count;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  uint32_t t[256];
  memset(t, 0, sizeof t);
  uint32_t before = t[l4->dst & 255];
  t[3] = 7;
  if (t[l4->dst & 255] != before) return count++ < 100 ? device : !device;
  return !device;
}
