// A core's packets, as readers while they can. A burst is one section: its packets share the cost of entering it.
#pragma once

#include "maestro/loop.h"
#include "maestro/sections.h"

// Bytes at the front of a packet that the NF may change before it first writes state.
#ifndef MAESTRO_RESTORE_BYTES
#  define MAESTRO_RESTORE_BYTES 0
#endif

// Bit i: (nearly) all packets from device i write state, so none is taken for a reader.
#ifndef MAESTRO_WRITING_DEVICES
#  define MAESTRO_WRITING_DEVICES 0
#endif

// The packet before the pass, to begin again from.
static MAESTRO_PER_CORE struct {
  uint16_t start; // of the packet in its buffer
  uint16_t length;
  uint8_t bytes[MAESTRO_RESTORE_BYTES + 1];
} maestro_original;

MAESTRO_API void maestro_keep(struct rte_mbuf *packet) {
  if (MAESTRO_RESTORE_BYTES > 0) {
    maestro_original.start = packet->data_off;
    maestro_original.length = packet->data_len;
    memcpy(maestro_original.bytes, rte_pktmbuf_mtod(packet, uint8_t *), MAESTRO_RESTORE_BYTES);
  }
}

MAESTRO_API void maestro_restore(struct rte_mbuf *packet) {
  if (MAESTRO_RESTORE_BYTES > 0) {
    packet->pkt_len += maestro_original.length - packet->data_len;
    packet->data_len = maestro_original.length;
    packet->data_off = maestro_original.start;
    memcpy(rte_pktmbuf_mtod(packet, uint8_t *), maestro_original.bytes, MAESTRO_RESTORE_BYTES);
  }
}

// From core->burst.at on, until the burst ends or a packet leaves the pass because it has to write.
static __attribute__((noinline, unused)) void maestro_read_burst(struct maestro_core *core) {
  struct maestro_burst *burst = &core->burst;
  maestro_read_lock();
  maestro_pass.optimistic = true;
  // The clock is read inside, so that what a writer does later is later.
  int64_t now = maestro_clock();
  for (; burst->at < burst->count; ++burst->at) {
    struct rte_mbuf *packet = burst->packets[burst->at];
    maestro_pass.refreshed = 0;
    maestro_keep(packet);
    uint16_t output = maestro_run_nf(burst->device, packet, now);
    for (unsigned i = 0; i < maestro_pass.refreshed; ++i) {
      *maestro_pass.stamps[i].stamp = maestro_pass.stamps[i].time;
    }
    maestro_deliver(core, burst->device, packet, output);
  }
  maestro_pass.optimistic = false;
  maestro_read_unlock();
}

static __attribute__((noinline)) void maestro_write_packet(struct maestro_core *core) {
  struct rte_mbuf *packet = core->burst.packets[core->burst.at++];
  maestro_write_lock();
  uint16_t output = maestro_run_nf(core->burst.device, packet, maestro_clock());
  maestro_write_unlock();
  ++core->counts.written;
  maestro_deliver(core, core->burst.device, packet, output);
}

// A burst from a device whose packets all write: one section, so that they share the cost of waiting for the others.
static __attribute__((noinline, unused)) void maestro_write_burst(struct maestro_core *core) {
  struct maestro_burst *burst = &core->burst;
  maestro_write_lock();
  int64_t now = maestro_clock();
  for (; burst->at < burst->count; ++burst->at) {
    struct rte_mbuf *packet = burst->packets[burst->at];
    maestro_deliver(core, burst->device, packet, maestro_run_nf(burst->device, packet, now));
  }
  maestro_write_unlock();
  core->counts.written += burst->count;
}

static void maestro_process(struct maestro_core *core, uint16_t device, struct rte_mbuf **packets, uint16_t count) {
  atomic_store_explicit(&core->last_packet, maestro_clock(), memory_order_relaxed);
  core->counts.received += count;
  core->burst = (struct maestro_burst){.device = device, .count = count, .packets = packets};
  if (device < 64 && ((uint64_t)MAESTRO_WRITING_DEVICES >> device & 1)) {
    maestro_write_burst(core);
  }
  while (core->burst.at < count) {
    if (MAESTRO_MARK(maestro_pass.start) == 0) {
      maestro_read_burst(core);
    } else { // a reader came to a write
      maestro_pass.optimistic = false;
      maestro_read_unlock();
      nf_return_all_chunks(NULL);
      maestro_restore(core->burst.packets[core->burst.at]);
      maestro_write_packet(core);
    }
  }
  maestro_flush(core);
}
