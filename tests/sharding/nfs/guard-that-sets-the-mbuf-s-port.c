// shared-nothing: a failed check and a failed lookup do the same on the device they arrive on
#include "table.h"
#include <rte_mbuf.h>
INIT
int nf_process(uint16_t device, uint8_t **buffer, uint16_t len, vigor_time_t now, struct rte_mbuf *mbuf) {
  if (len < 42) return device;
  struct rte_ether_hdr *ether = (void *)*buffer;
  if (ether->ether_type != 0x0008) return device;
  struct rte_ipv4_hdr *ip = (void *)(ether + 1);
  if (ip->version_ihl != 0x45 || ip->next_proto_id != 6) return device;
  struct ports *l4 = (void *)(ip + 1);
  int old;
  while (dchain_expire_one_index(chain, &old, now - LAG)) {
  }
  if (len > 1000) {
    int index;
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    struct cell *c;
    vector_borrow(cells, index, (void **)&c);
    c->count = ip->dst_addr;
    c->other = ip->src_addr;
    vector_return(cells, index, c);
    l4->src = index;
    return 7;
  }
  if (l4->dst >= CAPACITY || !dchain_is_index_allocated(chain, l4->dst)) {
    mbuf->port = 0;
    return 0xfff0;
  }
  struct cell *c;
  vector_borrow(cells, l4->dst, (void **)&c);
  bool mine = c->count == ip->src_addr && c->other == ip->dst_addr;
  vector_return(cells, l4->dst, c);
  if (!mine) {
    mbuf->port = 0;
    return device < 5 ? 0xfff0 : 9;
  }
  ip->time_to_live = 9;
  return 6;
}
