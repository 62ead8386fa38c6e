// Each core's main loop, its start and its end.
#pragma once

#include "maestro/loop.h"

// Whether no core has received anything for as long as --idle says.
static bool maestro_all_idle(void) {
  if (maestro_options.idle_ms == 0) {
    return false;
  }
  int64_t latest = 0;
  for (unsigned i = 0; i < maestro_cores; ++i) {
    latest = RTE_MAX(latest, atomic_load_explicit(&maestro_core_at[i]->last_packet, memory_order_relaxed));
  }
  return maestro_clock() - latest > (int64_t)maestro_options.idle_ms * 1000000;
}

static inline bool maestro_goes_on(const struct maestro_core *core) {
  return !atomic_load_explicit(&maestro_stop, memory_order_relaxed) && core->counts.received < maestro_options.packets;
}

// A burst from each device in turn. Gives how many packets there were.
static inline unsigned maestro_poll_devices(struct maestro_core *core) {
  struct rte_mbuf *packets[MAESTRO_BATCH];
  unsigned received = 0;
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    uint16_t count = rte_eth_rx_burst(device, (uint16_t)core->index, packets, MAESTRO_BATCH);
    if (count > 0) {
      maestro_process(core, device, packets, count);
      received += count;
    }
  }
  return received;
}

static void maestro_make_cores(const unsigned *lcores) {
  if (maestro_options.packets == 0) {
    maestro_options.packets = UINT64_MAX;
  }
  int64_t now = maestro_clock();
  for (unsigned i = 0; i < maestro_cores; ++i) {
    int node = (int)rte_lcore_to_socket_id(lcores[i]);
    maestro_core_at[i] = rte_zmalloc_socket("core", sizeof(struct maestro_core), 2 * RTE_CACHE_LINE_SIZE, node);
    if (maestro_core_at[i] == NULL) {
      maestro_refuse("No memory for core %u on NUMA node %d: give the EAL more (-m, hugepages)\n", i, node);
    }
    maestro_core_at[i]->index = i;
    maestro_core_at[i]->lcore = lcores[i];
    atomic_store(&maestro_core_at[i]->last_packet, now);
  }
}

static void maestro_print_counts(void) {
  struct maestro_counts all = {0};
  printf("%-8s %14s %14s %14s %14s %14s %14s\n", "core", "received", "sent", "dropped", "flooded", "lost", "written");
  for (unsigned i = 0; i <= maestro_cores; ++i) {
    struct maestro_counts *counts = i < maestro_cores ? &maestro_core_at[i]->counts : &all;
    char name[16] = "all";
    if (i < maestro_cores) {
      snprintf(name, sizeof(name), "%u", maestro_core_at[i]->lcore);
    }
    printf("%-8s %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n", name,
           counts->received, counts->sent, counts->dropped, counts->flooded, counts->lost, counts->written);
    all.received += counts->received;
    all.sent += counts->sent;
    all.dropped += counts->dropped;
    all.flooded += counts->flooded;
    all.lost += counts->lost;
    all.written += counts->written;
  }
  fflush(stdout);
}
