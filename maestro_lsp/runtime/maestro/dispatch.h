// Steering by a core, for devices that cannot: the main lcore hashes packets as a NIC would and hands them over.
#pragma once

#include "maestro/cores.h"
#include "maestro/steer.h"

static atomic_bool maestro_dispatched; // no more packets will come by rings

static void maestro_make_rings(void) {
  for (unsigned i = 0; i < maestro_cores; ++i) {
    maestro_core_at[i]->ring = maestro_make_ring("core", i, MAESTRO_RING_SIZE);
  }
}

// Hands packets to a core. Waits while its ring is full, so that what is too much is lost where it would be with RSS:
// in the device's queue.
static void maestro_hand_over(struct maestro_core *core, struct rte_mbuf **packets, unsigned count) {
  unsigned done = rte_ring_enqueue_burst(core->ring, (void **)packets, count, NULL);
  for (unsigned times = 0; done < count;) {
    maestro_wait(&times);
    done += rte_ring_enqueue_burst(core->ring, (void **)(packets + done), count - done, NULL);
  }
}

// The main lcore's loop: sorts each burst by core. Packets of one core keep their order.
static void maestro_dispatch_loop(void) {
  static struct {
    unsigned count;
    struct rte_mbuf *packets[MAESTRO_BATCH];
  } sorted[MAESTRO_CORES_MAX];
  struct rte_mbuf *packets[MAESTRO_BATCH];
  uint64_t received = 0;
  while (!atomic_load_explicit(&maestro_stop, memory_order_relaxed) && received < maestro_options.packets) {
    uint64_t before = received;
    for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
      uint16_t count = rte_eth_rx_burst(device, 0, packets, MAESTRO_BATCH);
      received += count;
      for (uint16_t i = 0; i < count; ++i) {
        struct rte_mbuf *packet = packets[i];
        packet->port = device;
        packet->hash.rss = maestro_hash(&maestro_rss[device], &maestro_soft_keys[device],
                                        rte_pktmbuf_mtod(packet, const uint8_t *), packet->data_len);
        packet->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
        uint16_t core = maestro_core_of_hash(device, packet->hash.rss);
        sorted[core].packets[sorted[core].count++] = packet;
      }
      for (unsigned core = 0; count > 0 && core < maestro_cores; ++core) {
        maestro_hand_over(maestro_core_at[core], sorted[core].packets, sorted[core].count);
        sorted[core].count = 0;
      }
    }
    if (received == before && maestro_all_idle()) {
      break;
    }
  }
  atomic_store(&maestro_dispatched, true);
}

// Takes what was handed over, in runs of one device.
static uint16_t maestro_take_over(struct maestro_core *core, struct rte_ring *ring) {
  struct rte_mbuf *packets[MAESTRO_BATCH];
  uint16_t count = (uint16_t)rte_ring_dequeue_burst(ring, (void **)packets, MAESTRO_BATCH, NULL);
  for (uint16_t from = 0, to = 0; from < count; from = to) {
    while (to < count && packets[to]->port == packets[from]->port) {
      ++to;
    }
    maestro_process(core, packets[from]->port, packets + from, (uint16_t)(to - from));
  }
  return count;
}

static inline unsigned maestro_take_strays(struct maestro_core *core) {
  return core->strays == NULL ? 0 : maestro_take_over(core, core->strays);
}

// The other cores' loop. After the last packet was handed over, the ring is emptied.
static void maestro_ring_loop(struct maestro_core *core) {
  bool last = false;
  while (true) {
    bool ended = last;
    last = atomic_load(&maestro_dispatched);
    unsigned strays = maestro_take_strays(core); // first: they are older
    if (maestro_take_over(core, core->ring) + strays == 0 && ended) {
      return;
    }
  }
}
