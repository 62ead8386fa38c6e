#pragma once
#include <rte_byteorder.h>
#define RTE_VXLAN_DEFAULT_PORT 4789
struct rte_vxlan_hdr {
  rte_be32_t vx_flags;
  rte_be32_t vx_vni;
} __attribute__((__packed__));
