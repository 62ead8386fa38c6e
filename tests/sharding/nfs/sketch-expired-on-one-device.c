// locks: the sketch forgets only when packets arrive on device 0.
#include "table.h"
#include "libvig/verified/sketch.h"

static struct Sketch *sk;
struct sk_key { uint32_t d; };
static unsigned sk_hash(void *k) { return ((struct sk_key*)k)->d; }
bool nf_init(void) { return tables() && sketch_allocate(sk_hash, 4096, 100, &sk); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (ip->next_proto_id != 6 || !(buffer[47] & 2)) return !device;
  if (device == 0) sketch_expire(sk, now - LAG);
  struct sk_key k = { ip->dst_addr };
  sketch_compute_hashes(sk, &k);
  sketch_refresh(sk, now);
  if (sketch_fetch(sk)) return device;
  sketch_touch_buckets(sk, now);
  return !device;
}
