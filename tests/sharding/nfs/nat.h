// A NAT without a map: each packet from device 0 gets an index, in whose cell its addresses are kept, and LEAVES; a reply whose port
// MAY_BE one that left goes to the index FOUND by it, if that one's cell says that it was sent to whoever replies.
#include "table.h"

#define NAT(LEAVES, MAY_BE, FOUND) \
  PARSE \
  int old; \
  while (dchain_expire_one_index(chain, &old, now - LAG)) { \
  } \
  if (device == 0) { \
    int index; \
    if (!dchain_allocate_new_index(chain, &index, now)) return device; \
    struct cell *c; \
    vector_borrow(cells, index, (void **)&c); \
    c->count = ip->dst_addr; \
    c->other = ip->src_addr; \
    vector_return(cells, index, c); \
    LEAVES; \
    return 1; \
  } \
  if (!(MAY_BE) || !dchain_is_index_allocated(chain, FOUND)) return device; \
  struct cell *c; \
  vector_borrow(cells, FOUND, (void **)&c); \
  bool mine = c->count == ip->src_addr; \
  uint32_t to = c->other; \
  vector_return(cells, FOUND, c); \
  if (!mine) return device; \
  ip->dst_addr = to; \
  return 0;
