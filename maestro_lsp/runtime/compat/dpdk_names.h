// Lets one source use both of DPDK's names for the fields of the Ethernet header: d_addr and s_addr, as they
// were before 21.11, and dst_addr and src_addr since. To be included before anything else, as by
// gcc -include dpdk_names.h.
//
// DPDK's own definition keeps its layout under another name, and ours, with both names for each address,
// takes its place in whatever is included later. (Macros that rename fields would also rename s_addr in
// struct in_addr.)
#ifndef MAESTRO_COMPAT_DPDK_NAMES_H
#define MAESTRO_COMPAT_DPDK_NAMES_H

#define rte_ether_hdr maestro_dpdk_ether_hdr
#include <rte_ether.h>
#undef rte_ether_hdr

struct rte_ether_hdr {
  union {
    struct rte_ether_addr dst_addr;
    struct rte_ether_addr d_addr;
  };
  union {
    struct rte_ether_addr src_addr;
    struct rte_ether_addr s_addr;
  };
  rte_be16_t ether_type;
} __attribute__((aligned(2)));

_Static_assert(sizeof(struct rte_ether_hdr) == sizeof(struct maestro_dpdk_ether_hdr), "not DPDK's layout");

#endif
