// What one core has of its own, and what all cores know of each other.
#pragma once

#include "maestro/dpdk.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// Not every NF uses every function below.
#define MAESTRO_API __attribute__((unused)) static inline

// State that each core has for itself. In a program (not a shared object) it costs no more than a global.
#define MAESTRO_PER_CORE _Thread_local

// Two cache lines: adjacent lines are fetched in pairs, so one is not enough to keep cores apart.
#define MAESTRO_APART _Alignas(2 * RTE_CACHE_LINE_SIZE)

#define MAESTRO_CORES_MAX RTE_MAX_LCORE

static unsigned maestro_cores = 1;                  // how many run the NF
static MAESTRO_PER_CORE unsigned maestro_self;       // which of them this is, from 0
static MAESTRO_PER_CORE int64_t maestro_time;        // of the packet that is processed, nanoseconds of the monotonic clock

MAESTRO_API unsigned maestro_core_index(void) {
  return maestro_self;
}

MAESTRO_API unsigned maestro_core_count(void) {
  return maestro_cores;
}

MAESTRO_API int64_t maestro_now(void) {
  return maestro_time;
}

// DPDK counts devices by asking each of the many that there could be, and NFs ask for each packet.
MAESTRO_API uint16_t maestro_device_count(void) {
  static _Atomic uint16_t devices;
  uint16_t count = atomic_load_explicit(&devices, memory_order_relaxed);
  if (count == 0) {
    count = rte_eth_dev_count_avail();
    atomic_store_explicit(&devices, count, memory_order_relaxed);
  }
  return count;
}

#define rte_eth_dev_count_avail() maestro_device_count()

// A core's part of a table's capacity, rounded up: together the cores hold at least what the NF asks for.
MAESTRO_API unsigned maestro_share(uint64_t capacity) {
  return (unsigned)((capacity + maestro_cores - 1) / maestro_cores);
}

// The same for maps, whose capacity some libVigs want to be a power of two.
MAESTRO_API unsigned maestro_share_pow2(uint64_t capacity) {
  unsigned share = maestro_share(capacity);
  return share <= 1 ? 1 : 1u << (32 - __builtin_clz(share - 1));
}

// Waits a little for another core. Cores have a processor each, so it is not for long; where they have not, as in tests
// and containers, the one waited for may be off the processor, and gets it.
MAESTRO_API void maestro_wait(unsigned *times) {
  if (++*times % 128 == 0) {
    sched_yield();
  } else {
    rte_pause();
  }
}
