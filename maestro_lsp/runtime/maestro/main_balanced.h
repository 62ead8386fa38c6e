// Strategy `shared-nothing`, with indirection tables that are balanced at run time.
#pragma once

#include "maestro/process_balanced.h"

static bool maestro_init_shared(void) {
  return true;
}

static bool maestro_init_core(void) {
  maestro_count_buckets(maestro_self);
  return nf_init();
}

#include "maestro/main.h"
