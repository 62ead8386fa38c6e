// locks: buckets are stamped with another time than the packet's, so when one expires depends on others.
#include "bucket.h"
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  tb_expire(tb, now);
  uint32_t src = ip->src_addr; int t;
  if (!tb_is_tracing(tb, &src, &t)) return tb_trace(tb, &src, len, now, &t) ? device : !device;
  return tb_update_and_check(tb, t, len, ip->next_proto_id == 6 ? 0 : now) ? device : !device;
}
