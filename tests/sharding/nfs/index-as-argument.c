// locks: how many tokens a packet takes is the number of its index.
#include "bucket.h"
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  BUCKET
  return tb_update_and_check(tb, t, index, now) ? !device : device;
}
