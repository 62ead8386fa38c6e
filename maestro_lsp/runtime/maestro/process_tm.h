// A core's packets, each in a transaction.
#pragma once

#include "maestro/loop.h"
#include "maestro/transactions.h"

static void maestro_process(struct maestro_core *core, uint16_t device, struct rte_mbuf **packets, uint16_t count) {
  atomic_store_explicit(&core->last_packet, maestro_clock(), memory_order_relaxed);
  core->counts.received += count;
  for (uint16_t i = 0; i < count; ++i) {
    rte_spinlock_lock_tm(&maestro_transaction);
    // The clock is read inside, so that times never decrease from one packet to the next, on whichever core.
    uint16_t output = maestro_run_nf(device, packets[i], maestro_clock());
    rte_spinlock_unlock_tm(&maestro_transaction);
    maestro_deliver(core, device, packets[i], output);
  }
  core->counts.written += count;
  maestro_flush(core);
}
