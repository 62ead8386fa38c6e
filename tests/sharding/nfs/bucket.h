// A token bucket for each source, besides the table.
#include "table.h"
#include "libvig/verified/token-bucket.h"

static struct TokenBucket *tb;
bool nf_init(void) { return tables() && tb_allocate(CAPACITY, 1000, 1000, 4, &tb); }

// t: the bucket of the packet's source; the first packet of a source makes one, or is dropped
#define BUCKET                                                                                               \
  int t;                                                                                                     \
  if (!tb_is_tracing(tb, &source, &t) && !tb_trace(tb, &source, len, now, &t)) return device;
