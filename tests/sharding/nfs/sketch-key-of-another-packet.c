// locks: only UDP packets choose the key; others count under the one that was chosen last.
#include "table.h"
#include "libvig/verified/sketch.h"

static struct Sketch *sk;
struct sk_key { uint32_t d; };
static unsigned sk_hash(void *k) { return ((struct sk_key*)k)->d; }
bool nf_init(void) { return tables() && sketch_allocate(sk_hash, 4096, 100, &sk); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  sketch_expire(sk, now - LAG);
  struct sk_key k = { ip->dst_addr };
  if (ip->next_proto_id == 17) sketch_compute_hashes(sk, &k);
  sketch_refresh(sk, now);
  if (sketch_fetch(sk)) return device;
  sketch_touch_buckets(sk, now);
  return !device;
}
