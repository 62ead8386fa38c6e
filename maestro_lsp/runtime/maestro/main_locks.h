// Strategy `locks`: all cores work on the same tables.
#pragma once

#include "maestro/no_balance.h"
#include "maestro/process_locks.h"

static bool maestro_init_shared(void) {
  return nf_init();
}

static bool maestro_init_core(void) {
  return true;
}

#include "maestro/main.h"
