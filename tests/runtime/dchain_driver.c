// The shared dchain for ctypes: one thread that plays several cores.
#include "maestro/dpdk.h"
#include "maestro/sections.h"

#include "maestro/dchain.h"

static struct maestro_dchain *chain;

static size_t chain_bytes(void) {
  return sizeof(*chain) + ((size_t)chain->range + MAESTRO_HEAPS) * sizeof(chain->cells[0]);
}

int make(int range, unsigned cores) {
  maestro_cores = cores;
  return maestro_dchain_allocate(range, &chain);
}

void as_core(unsigned core) {
  maestro_self = core;
}

// An operation as a writer: its result, or the index, or -1.
static int64_t run(char operation, int index, int64_t time) {
  int out = -1;
  switch (operation) {
  case 'a':
    return maestro_dchain_allocate_new_index(chain, &out, time) ? out : -1;
  case 'e':
    return maestro_dchain_expire_one_index(chain, &out, time) ? out : -1;
  case 'r':
    return maestro_dchain_rejuvenate_index(chain, index, time);
  case 'f':
    return maestro_dchain_free_index(chain, index);
  default:
    return maestro_dchain_is_index_allocated(chain, index);
  }
}

int64_t operate(char operation, int index, int64_t time) {
  return run(operation, index, time);
}

// The operation in an optimistic pass: -2 if it left the pass; in any case -3 if something has changed before its end.
int64_t try_to(char operation, int index, int64_t time) {
  void *before = malloc(chain_bytes());
  int64_t *stamps = malloc(maestro_cores * (size_t)chain->range * sizeof(*stamps));
  memcpy(before, chain, chain_bytes());
  for (unsigned core = 0; core < maestro_cores; ++core) {
    memcpy(stamps + core * (size_t)chain->range, chain->stamps[core], (size_t)chain->range * sizeof(*stamps));
  }
  volatile int64_t result = -2;
  maestro_pass.refreshed = 0;
  maestro_pass.optimistic = true;
  if (MAESTRO_MARK(maestro_pass.start) == 0) {
    result = run(operation, index, time);
  }
  maestro_pass.optimistic = false;
  bool same = memcmp(before, chain, chain_bytes()) == 0;
  for (unsigned core = 0; core < maestro_cores; ++core) {
    same &= memcmp(stamps + core * (size_t)chain->range, chain->stamps[core], (size_t)chain->range * sizeof(*stamps)) == 0;
  }
  free(before);
  free(stamps);
  if (!same) {
    return -3;
  }
  if (result != -2) {
    for (unsigned i = 0; i < maestro_pass.refreshed; ++i) {
      *maestro_pass.stamps[i].stamp = maestro_pass.stamps[i].time;
    }
  }
  return result;
}
