// locks: keys of sketches are as long as their hash functions look, so sources meet in one and destinations in the other, not only
// packets that are equal from there on.
#include "table.h"
#include "libvig/verified/sketch.h"

static struct Sketch *sources, *destinations;

bool nf_init(void) { return sketch_allocate(addr_hash, CAPACITY, 10, &sources) && sketch_allocate(addr_hash, CAPACITY, 10, &destinations); }

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  sketch_compute_hashes(sources, &ip->src_addr);
  sketch_touch_buckets(sources, now);
  sketch_compute_hashes(destinations, &ip->dst_addr);
  sketch_touch_buckets(destinations, now);
  return sketch_fetch(sources) && sketch_fetch(destinations) ? device : !device;
}
