// locks: how many tokens come back depends on the number of another index.
#include "table.h"
#include "libvig/verified/token-bucket.h"
static struct TokenBucket *tb;
bool nf_init(void) { return tables() && tb_allocate(CAPACITY, 1000, 1000, 4, &tb); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  int t;
  if (!tb_is_tracing(tb, &source, &t)) { if (!tb_trace(tb, &source, len, now, &t)) return device; }
  return tb_update_and_check(tb, t, len, now + index) ? !device : device;
}
