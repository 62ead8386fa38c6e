// One state for all cores, and a transaction for each packet: cores process packets in parallel until two of them touch
// the same memory and one writes. Where the processor has no transactions, or one fails too often, this is one lock.
#pragma once

#include "maestro/core.h"

static MAESTRO_APART rte_spinlock_t maestro_transaction = RTE_SPINLOCK_INITIALIZER;

// Every packet may write.
MAESTRO_API void maestro_write(void) {
}

// Renews a time stamp of this core's own.
MAESTRO_API void maestro_refresh(int64_t *stamp, int64_t time) {
  *stamp = time;
}
