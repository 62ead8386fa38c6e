// What each core does: take a burst of packets, run the NF on each, send them on.
#pragma once

#include "maestro/packet.h"
#include "maestro/ports.h"

// What became of a core's packets. Only that core writes; others read for statistics.
struct maestro_counts {
  uint64_t received;
  uint64_t sent;    // copies of flooded packets included
  uint64_t dropped; // by the NF
  uint64_t flooded;
  uint64_t lost;    // the transmit queue or the other core's ring was full, or the NF named a device that does not exist
  uint64_t written; // locks: packets that took the write lock
};

// Packets of one device that a core has taken together.
struct maestro_burst {
  struct rte_mbuf **packets;
  uint16_t device;
  uint16_t count;
  uint16_t at; // the one that is processed
};

struct maestro_core {
  unsigned index;              // 0 .. maestro_cores - 1; its rx queue on every device
  unsigned lcore;
  struct rte_ring *ring;       // packets that the main lcore hands over
  struct rte_ring *strays;     // balancing: packets that came to a core which no longer owns them, or NULL
  struct maestro_counts counts;
  struct maestro_burst burst;  // locks: what is left of it when a packet has to begin again
  _Atomic int64_t last_packet; // when it last received any, nanoseconds
  struct {
    uint16_t count;
    struct rte_mbuf *packets[MAESTRO_BATCH];
  } out[MAESTRO_NF_DEVICES];   // what waits to be sent; empty between bursts
};

static struct maestro_core *maestro_core_at[MAESTRO_CORES_MAX]; // each on its core's NUMA node

static inline int64_t maestro_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Sends what waits for one device. What its queue does not take is dropped: waiting would lose newer packets instead.
static void maestro_flush_device(struct maestro_core *core, uint16_t device) {
  struct maestro_port *port = &maestro_ports[device];
  struct rte_mbuf **packets = core->out[device].packets;
  uint16_t count = core->out[device].count;
  bool shared = port->tx_queues < maestro_cores;
  if (shared) {
    rte_spinlock_lock(&port->lock);
  }
  uint16_t sent = rte_eth_tx_burst(device, (uint16_t)(core->index % port->tx_queues), packets, count);
  if (shared) {
    rte_spinlock_unlock(&port->lock);
  }
  core->counts.sent += sent;
  core->counts.lost += count - sent;
  for (; sent < count; ++sent) {
    rte_pktmbuf_free(packets[sent]);
  }
  core->out[device].count = 0;
}

static inline void maestro_flush(struct maestro_core *core) {
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    if (core->out[device].count > 0) {
      maestro_flush_device(core, device);
    }
  }
}

static inline void maestro_send(struct maestro_core *core, uint16_t device, struct rte_mbuf *packet) {
  core->out[device].packets[core->out[device].count++] = packet;
  if (core->out[device].count == MAESTRO_BATCH) {
    maestro_flush_device(core, device);
  }
}

// To every device but the one it came from. The copies share one buffer, which the last one frees.
static void maestro_flood(struct maestro_core *core, uint16_t input, struct rte_mbuf *packet) {
  ++core->counts.flooded;
  rte_mbuf_refcnt_update(packet, MAESTRO_NF_DEVICES - 1);
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    if (device != input) {
      maestro_send(core, device, packet);
    }
  }
  rte_pktmbuf_free(packet); // our own reference
}

static inline void maestro_deliver(struct maestro_core *core, uint16_t input, struct rte_mbuf *packet, uint16_t output) {
  if (MAESTRO_DROPS(output, input)) {
    ++core->counts.dropped;
    rte_pktmbuf_free(packet);
  } else if (MAESTRO_FLOODS(output, input)) {
    maestro_flood(core, input, packet);
  } else if (output < MAESTRO_NF_DEVICES) {
    maestro_send(core, output, packet);
  } else {
    ++core->counts.lost;
    rte_pktmbuf_free(packet);
  }
}

// Runs the NF once. The result is the device it chose, or what MAESTRO_DROPS and MAESTRO_FLOODS recognise.
static inline uint16_t maestro_run_nf(uint16_t device, struct rte_mbuf *packet, int64_t now) {
  uint8_t *data = rte_pktmbuf_mtod(packet, uint8_t *);
  maestro_time = now;
  maestro_packet_begin(packet->pkt_len);
#ifdef MAESTRO_NF_TAKES_MBUF
  uint16_t output = (uint16_t)nf_process(device, &data, (uint16_t)packet->pkt_len, now, packet);
#else
  uint16_t output = (uint16_t)nf_process(device, data, (uint16_t)packet->pkt_len, now);
#endif
  nf_return_all_chunks(data);
  return output;
}
