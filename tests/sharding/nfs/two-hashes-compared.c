// locks: two hash functions seldom agree, and packets for which they do not are counted.
#include "table.h"
#include <rte_hash_crc.h>
#include <rte_jhash.h>
static uint64_t total;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  if (rte_jhash(&source, 4, 1) != rte_hash_crc(&source, 4, 1)) total++;
  return total > 100 ? device : !device;
}
