// A core's packets, if their buckets are still its own.
#pragma once

#include "maestro/balance.h"

static void maestro_process(struct maestro_core *core, uint16_t device, struct rte_mbuf **packets, uint16_t count) {
  int64_t now = maestro_clock();
  atomic_store_explicit(&core->last_packet, now, memory_order_relaxed);
  core->counts.received += count;
  bool balances = maestro_live != NULL;
  if (balances) {
    maestro_grant_moves(core); // before these packets make entries
  }
  for (uint16_t i = 0; i < count; ++i) {
    if (balances && !maestro_is_own(core, device, packets[i])) {
      continue;
    }
    uint16_t output = maestro_run_nf(device, packets[i], now);
    maestro_deliver(core, device, packets[i], output);
  }
  maestro_flush(core);
}
