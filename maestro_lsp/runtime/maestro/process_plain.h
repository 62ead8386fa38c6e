// A core's packets, one after another: nobody else touches its state.
#pragma once

#include "maestro/loop.h"

static void maestro_process(struct maestro_core *core, uint16_t device, struct rte_mbuf **packets, uint16_t count) {
  int64_t now = maestro_clock();
  atomic_store_explicit(&core->last_packet, now, memory_order_relaxed);
  core->counts.received += count;
  for (uint16_t i = 0; i < count; ++i) {
    uint16_t output = maestro_run_nf(device, packets[i], now);
    maestro_deliver(core, device, packets[i], output);
  }
  maestro_flush(core);
}
