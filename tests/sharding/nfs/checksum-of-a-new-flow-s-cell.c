// locks: the checksum of what an earlier owner of the index has left in the cell leaves
#include "table.h"

static struct Vector *big;
static void clear(void *p) { memset(p, 0, sizeof(struct rte_ipv4_hdr)); }
bool nf_init(void) { return tables() && vector_allocate(sizeof(struct rte_ipv4_hdr), CAPACITY, clear, &big); }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE_WITH(map_put(map, key, index); struct rte_ipv4_hdr *h; vector_borrow(big, index, (void **)&h); ip->packet_id = rte_ipv4_cksum(h); h->src_addr = len; vector_return(big, index, h);)
  return 1 - device;
}
