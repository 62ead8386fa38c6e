// locks: how many tokens come back depends on the number of another index.
#include "bucket.h"
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  BUCKET
  return tb_update_and_check(tb, t, len, now + index) ? !device : device;
}
