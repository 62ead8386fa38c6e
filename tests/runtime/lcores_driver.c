// Orders lcores by their NUMA nodes. Usage: PROGRAM FIRST_NODE NODE...; lcore i is on the i-th node.
#include <stdio.h>

#include "maestro/dpdk.h"

#include "maestro/lcores.h"

int main(int argc, char **argv) {
  unsigned lcores[MAESTRO_CORES_MAX], nodes[MAESTRO_CORES_MAX];
  unsigned count = (unsigned)argc - 2;
  for (unsigned i = 0; i < count; ++i) {
    lcores[i] = i;
    nodes[i] = (unsigned)atoi(argv[i + 2]);
  }
  maestro_alternate_nodes(lcores, nodes, count, (unsigned)atoi(argv[1]));
  for (unsigned i = 0; i < count; ++i) {
    printf("%u ", lcores[i]);
  }
  return 0;
}
