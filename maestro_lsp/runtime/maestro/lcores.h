// Which lcores run the NF.
#pragma once

#include "maestro/options.h"

// Reorders lcores so that NUMA nodes alternate, beginning with the devices' node: cores of a second node bring a second
// last-level cache and memory controller, which is worth more than staying near the NIC (thesis 4.3).
static void maestro_alternate_nodes(unsigned *lcores, const unsigned *nodes, unsigned count, unsigned first_node) {
  unsigned rank[MAESTRO_CORES_MAX]; // place of an lcore in the order: how many of its node precede it, then its node
  unsigned order[MAESTRO_CORES_MAX];
  for (unsigned i = 0; i < count; ++i) {
    unsigned before = 0;
    for (unsigned j = 0; j < i; ++j) {
      before += nodes[j] == nodes[i];
    }
    rank[i] = before * (RTE_MAX_NUMA_NODES + 1) + (nodes[i] == first_node ? 0 : nodes[i] + 1);
    unsigned at = i;
    for (; at > 0 && rank[order[at - 1]] > rank[i]; --at) {
      order[at] = order[at - 1];
    }
    order[at] = i;
  }
  unsigned sorted[MAESTRO_CORES_MAX];
  for (unsigned i = 0; i < count; ++i) {
    sorted[i] = lcores[order[i]];
  }
  memcpy(lcores, sorted, count * sizeof(lcores[0]));
}

// Sets lcores[0 .. maestro_cores-1]. With a main lcore that is busy otherwise, only workers are taken.
static void maestro_choose_lcores(unsigned *lcores, bool main_is_busy) {
  unsigned nodes[MAESTRO_CORES_MAX];
  unsigned count = 0;
  for (unsigned lcore = 0; lcore < MAESTRO_CORES_MAX; ++lcore) {
    if (rte_lcore_is_enabled(lcore) && !(main_is_busy && lcore == rte_get_main_lcore())) {
      lcores[count] = lcore;
      nodes[count++] = rte_lcore_to_socket_id(lcore);
    }
  }
  if (count == 0 || maestro_options.cores > count) {
    maestro_refuse("%u cores are wanted and %u are there%s: give the EAL more (-l or --lcores)\n",
                   RTE_MAX(maestro_options.cores, 1u), count, main_is_busy ? ", besides the one that dispatches" : "");
  }
  int node = rte_eth_dev_socket_id(0);
  maestro_alternate_nodes(lcores, nodes, count, node < 0 ? 0 : (unsigned)node);
  maestro_cores = maestro_options.cores != 0 ? maestro_options.cores : count;
}
