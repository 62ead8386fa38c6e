// Moves buckets from busy cores to idle ones while the program runs, elephants first as RSS++ (Barbette et al., CoNEXT 2019).
//
// A bucket moves only when it has no live entry: then its state is nothing, and nothing has to be moved with it. The main
// lcore asks for moves; the core that owns a bucket grants them, between two packets. Packets that still reach it afterwards
// are handed over. Devices whose tables are tied have buckets in common.
#pragma once

#include "maestro/live.h"
#include "maestro/loop.h"
#include "maestro/steer.h"

#define MAESTRO_BUCKETS_MAX (MAESTRO_TABLE_MAX * MAESTRO_NF_DEVICES)
#define MAESTRO_TOLERANCE 0.05 // of the mean load; less is not worth a move

// Of one core. Others read it for their decisions.
struct maestro_bucket_counts {
  uint32_t live[MAESTRO_BUCKETS_MAX];
  uint64_t packets[MAESTRO_BUCKETS_MAX];
};

static struct {
  unsigned first[MAESTRO_NF_DEVICES];  // bucket of each device's table entry 0
  unsigned period[MAESTRO_NF_DEVICES]; // how many follow it; a table's contents repeat after as many entries
  unsigned count;                      // buckets of all devices
  struct maestro_bucket_counts *of_core[MAESTRO_CORES_MAX];
  _Atomic uint16_t owner[MAESTRO_BUCKETS_MAX];
  _Atomic uint16_t wanted[MAESTRO_BUCKETS_MAX]; // who shall own it
  atomic_uint requests;                         // how often wanted has changed
  atomic_uint granted;                          // how many buckets have moved
} maestro_balance;

static MAESTRO_PER_CORE unsigned maestro_requests_seen;

// The table as it should be if each bucket's load stays what it was: owner[] is changed as little as it takes for each core
// to stay within the tolerance. Takes the busiest core's heaviest bucket that the idlest core can take without becoming as
// busy, again and again. Frozen buckets stay.
static void maestro_rebalance(const uint64_t *load, const bool *frozen, uint16_t *owner, unsigned count, unsigned cores) {
  uint64_t of_core[MAESTRO_CORES_MAX] = {0};
  bool stuck[MAESTRO_CORES_MAX] = {false};
  uint64_t sum = 0;
  for (unsigned i = 0; i < count; ++i) {
    of_core[owner[i]] += load[i];
    sum += load[i];
  }
  double goal = (1 + MAESTRO_TOLERANCE) * (double)sum / cores;
  for (unsigned stuck_count = 0; stuck_count < cores;) {
    unsigned busiest = cores;
    unsigned idlest = 0;
    for (unsigned core = 0; core < cores; ++core) {
      if (!stuck[core] && (busiest == cores || of_core[core] > of_core[busiest])) {
        busiest = core;
      }
      idlest = of_core[core] < of_core[idlest] ? core : idlest;
    }
    if ((double)of_core[busiest] <= goal) {
      return;
    }
    unsigned heaviest = count;
    for (unsigned i = 0; i < count; ++i) {
      if (owner[i] == busiest && !frozen[i] && load[i] > 0 && of_core[idlest] + load[i] < of_core[busiest] &&
          (heaviest == count || load[i] > load[heaviest])) {
        heaviest = i;
      }
    }
    if (heaviest == count) {
      stuck[busiest] = true;
      ++stuck_count;
      continue;
    }
    owner[heaviest] = (uint16_t)idlest;
    of_core[busiest] -= load[heaviest];
    of_core[idlest] += load[heaviest];
    memset(stuck, 0, sizeof(stuck));
    stuck_count = 0;
  }
}

// Numbers the buckets, once tables are filled. Tied devices share theirs.
static void maestro_number_buckets(void) {
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    unsigned period = maestro_tables[device].size;
    int like = -1; // a device before that this one is tied to
    for (uint16_t other = 0; other < MAESTRO_NF_DEVICES; ++other) {
      if (maestro_rss[other].tied == maestro_rss[device].tied) {
        period = RTE_MIN(period, maestro_tables[other].size);
        like = like < 0 && other < device ? other : like;
      }
    }
    maestro_balance.period[device] = period;
    maestro_balance.first[device] = like >= 0 ? maestro_balance.first[like] : maestro_balance.count;
    maestro_balance.count += like >= 0 ? 0 : period;
    for (unsigned i = 0; i < period; ++i) {
      uint16_t core = atomic_load(&maestro_tables[device].core[i]);
      atomic_store(&maestro_balance.owner[maestro_balance.first[device] + i], core);
      atomic_store(&maestro_balance.wanted[maestro_balance.first[device] + i], core);
    }
  }
}

static void maestro_start_balance(void) {
  if (maestro_options.balance_seconds == 0) {
    return;
  }
  maestro_number_buckets();
  for (unsigned i = 0; i < maestro_cores; ++i) {
    int node = (int)rte_lcore_to_socket_id(maestro_core_at[i]->lcore);
    maestro_balance.of_core[i] = rte_zmalloc_socket("buckets", sizeof(struct maestro_bucket_counts), 0, node);
    if (maestro_balance.of_core[i] == NULL) {
      maestro_refuse("No memory to count buckets: give the EAL more (-m, hugepages), or leave out --balance\n");
    }
    // Room for all that may wait for any core at the moment of a move.
    maestro_core_at[i]->strays = maestro_make_ring("strays", i, rte_align32pow2(2 * maestro_cores * MAESTRO_RING_SIZE));
  }
}

// The watching thread: asks for what would balance the packets counted since it last asked.
static void maestro_ask_for_moves(void) {
  static uint64_t before[MAESTRO_BUCKETS_MAX];
  static uint64_t load[MAESTRO_BUCKETS_MAX];
  static bool frozen[MAESTRO_BUCKETS_MAX];
  static uint16_t owner[MAESTRO_BUCKETS_MAX];
  for (unsigned i = 0; i < maestro_balance.count; ++i) {
    uint64_t packets = 0;
    for (unsigned core = 0; core < maestro_cores; ++core) {
      packets += __atomic_load_n(&maestro_balance.of_core[core]->packets[i], __ATOMIC_RELAXED);
    }
    load[i] = packets - before[i];
    before[i] = packets;
    owner[i] = atomic_load(&maestro_balance.owner[i]);
  }
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    frozen[maestro_balance.first[device]] = true; // some NICs send to queue 0 what they do not hash, whatever the table says
  }
  maestro_rebalance(load, frozen, owner, maestro_balance.count, maestro_cores);
  for (unsigned i = 0; i < maestro_balance.count; ++i) {
    atomic_store(&maestro_balance.wanted[i], owner[i]);
  }
  atomic_fetch_add(&maestro_balance.requests, 1);
}

// The watching thread: makes tables say what cores have granted.
static void maestro_show_moves(bool on_devices) {
  static unsigned shown;
  unsigned granted = atomic_load(&maestro_balance.granted);
  if (granted == shown) {
    return;
  }
  shown = granted;
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    for (unsigned i = 0; i < maestro_tables[device].size; ++i) {
      unsigned bucket = maestro_balance.first[device] + i % maestro_balance.period[device];
      atomic_store(&maestro_tables[device].core[i], atomic_load(&maestro_balance.owner[bucket]));
    }
    if (on_devices) {
      maestro_install_table(device); // if it fails, the former owner goes on handing packets over
    }
  }
}

// The watching thread, a hundred times a second.
static void maestro_tend(int64_t now, enum maestro_dispatch dispatch) {
  static int64_t asked;
  if (maestro_options.balance_seconds == 0) {
    return;
  }
  if (now - asked >= (int64_t)maestro_options.balance_seconds * 1000000000) {
    maestro_ask_for_moves();
    asked = now;
  }
  maestro_show_moves(dispatch == MAESTRO_DISPATCH_RSS);
}

static void maestro_count_buckets(unsigned core) {
  if (maestro_options.balance_seconds != 0) {
    maestro_live = maestro_balance.of_core[core]->live;
  }
}

static void maestro_print_moves(void) {
  if (maestro_options.balance_seconds != 0) {
    printf("%u buckets have moved\n", atomic_load(&maestro_balance.granted));
  }
}

// A core, between two bursts: gives away what it is asked for and has no live entry.
static void maestro_grant_moves(const struct maestro_core *core) {
  unsigned requests = atomic_load_explicit(&maestro_balance.requests, memory_order_acquire);
  if (requests == maestro_requests_seen && !maestro_bucket_is_idle) {
    return;
  }
  maestro_requests_seen = requests;
  maestro_bucket_is_idle = false;
  for (unsigned i = 0; i < maestro_balance.count; ++i) {
    uint16_t wanted = atomic_load_explicit(&maestro_balance.wanted[i], memory_order_relaxed);
    if (wanted != core->index && maestro_live[i] == 0 &&
        atomic_load_explicit(&maestro_balance.owner[i], memory_order_relaxed) == core->index) {
      atomic_store_explicit(&maestro_balance.owner[i], wanted, memory_order_relaxed);
      atomic_fetch_add(&maestro_balance.granted, 1);
    }
  }
}

static inline unsigned maestro_bucket_of(uint16_t device, const struct rte_mbuf *packet) {
  uint32_t hash = (packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0 ? packet->hash.rss : 0;
  return maestro_balance.first[device] + (hash & (maestro_balance.period[device] - 1));
}

// Whether the packet's bucket is this core's. If not, the packet goes to the core whose it is.
static inline bool maestro_is_own(struct maestro_core *core, uint16_t device, struct rte_mbuf *packet) {
  maestro_bucket = maestro_bucket_of(device, packet);
  uint16_t owner = atomic_load_explicit(&maestro_balance.owner[maestro_bucket], memory_order_relaxed);
  if (owner == core->index) {
    ++maestro_balance.of_core[core->index]->packets[maestro_bucket];
    return true;
  }
  packet->port = device;
  if (rte_ring_enqueue(maestro_core_at[owner]->strays, packet) == 0) {
    --core->counts.received; // its owner counts it
  } else {
    ++core->counts.lost; // two cores that wait for each other would wait for ever
    rte_pktmbuf_free(packet);
  }
  return false;
}
