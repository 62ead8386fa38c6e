// locks: the number of a token bucket decides.
#include "bucket.h"
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  tb_expire(tb, now);
  uint32_t s = ip->src_addr; int i;
  if (!tb_is_tracing(tb, &s, &i)) { if (!tb_trace(tb, &s, len, now, &i)) return device; return !device; }
  if (!tb_update_and_check(tb, i, len, now)) return device;
  return i & 1 ? device : !device;
}
