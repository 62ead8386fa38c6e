// Strategy `shared-nothing`: each core has tables of its own, allocated by its own thread and so on its own NUMA node.
#pragma once

#include "maestro/no_balance.h"
#include "maestro/process_plain.h"

static bool maestro_init_shared(void) {
  return true;
}

static bool maestro_init_core(void) {
  return nf_init();
}

#include "maestro/main.h"
