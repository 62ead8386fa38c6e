// shared-nothing: updates of a wide bit-field are cut to its width, whatever the compiler takes for its type.
#include "table.h"

struct quota {
  uint64_t bytes : 40, packets : 24;
};

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  static struct quota quotas[65536];
  struct quota *q = &quotas[l4->src];
  q->bytes += len;
  q->packets++;
  return q->bytes > 1000000 || q->packets > 1000 ? device : !device;
}
