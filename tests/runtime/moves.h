// In place of main_balanced.h behind an NF that counts live entries: threads play cores, one at a time, a burst each, while
// buckets are asked to move at random and a simulated NIC steers by the table as it is. Then the sequential NF (replay.h) gets
// the same packets in the order in which they were processed, and must do the same with each.
// Usage: PROGRAM CORES STEPS SEED LAG_NS FLOWS
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "packets.h"

int replay_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now);
bool replay_init(int64_t lag, uint32_t capacity);

#define NOTES_MAX 4000000

static struct note {
  uint8_t packet[ROOM];
  int64_t now;
  uint16_t device;
  uint16_t output;
} *notes;
static uint64_t noted;

#undef nf_process // the NF's own is called flows_process here
static int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {
  int output = flows_process(device, buffer, length, now);
  struct note *note = &notes[noted++];
  memcpy(note->packet, buffer, ROOM); // this NF does not change packets
  note->now = now;
  note->device = device;
  note->output = (uint16_t)output;
  return output;
}

#undef MAESTRO_DROPS
#define MAESTRO_DROPS(output, device) ((void)(output), (void)(device), true)

#define main maestro_main
#include STRESSED
#undef main

// For tests by themselves.
void rebalance(const uint64_t *load, const bool *frozen, uint16_t *owner, unsigned count, unsigned cores);
void rebalance(const uint64_t *load, const bool *frozen, uint16_t *owner, unsigned count, unsigned cores) {
  maestro_rebalance(load, frozen, owner, count, cores);
}

// ---- A NIC: a queue for each core

#define QUEUE_MAX 256

struct buffer {
  struct rte_mbuf mbuf;
  uint8_t bytes[ROOM];
};

static struct {
  struct buffer *waiting[QUEUE_MAX];
  unsigned count;
} nic[THREADS_MAX];

static void arrive(uint64_t number) {
  struct buffer *buffer = calloc(1, sizeof(*buffer));
  uint16_t device = make_packet(buffer->bytes, 0, number);
  buffer->mbuf = (struct rte_mbuf){.buf_addr = buffer->bytes, .data_len = 60, .pkt_len = 60, .nb_segs = 1, .port = device};
  rte_mbuf_refcnt_set(&buffer->mbuf, 2);
  buffer->mbuf.hash.rss = maestro_hash(&maestro_rss[device], &maestro_soft_keys[device], buffer->bytes, 60);
  buffer->mbuf.ol_flags = RTE_MBUF_F_RX_RSS_HASH;
  uint16_t core = maestro_core_of_hash(device, buffer->mbuf.hash.rss);
  if (nic[core].count < QUEUE_MAX) { // else the NIC drops it
    nic[core].waiting[nic[core].count++] = buffer;
  }
}

// ---- Cores, one at a time

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int turn; // of a core, -1 nobody's, -2 the end
} stage = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, -1};

static void pass_to(int turn) {
  stage.turn = turn;
  pthread_cond_broadcast(&stage.changed);
}

static void take_burst(struct maestro_core *core) {
  while (nic[core->index].count > 0) {
    struct rte_mbuf *burst[MAESTRO_BATCH];
    uint16_t count = 0;
    uint16_t device = nic[core->index].waiting[0]->mbuf.port;
    while (count < MAESTRO_BATCH && count < nic[core->index].count && nic[core->index].waiting[count]->mbuf.port == device) {
      burst[count] = &nic[core->index].waiting[count]->mbuf;
      ++count;
    }
    nic[core->index].count -= count;
    memmove(nic[core->index].waiting, nic[core->index].waiting + count, nic[core->index].count * sizeof(struct buffer *));
    maestro_process(core, device, burst, count);
  }
}

// Live entries are counted where they were made.
static void check_counts(void) {
  static uint32_t found[MAESTRO_BUCKETS_MAX];
  memset(found, 0, sizeof(found));
  for (int index = 0; index < (int)maestro_share(config.capacity); ++index) {
    found[chain->buckets[index]] += (uint32_t)maestro_live_chain_is_index_allocated(chain, index);
  }
  for (unsigned bucket = 0; bucket < maestro_balance.count; ++bucket) {
    if (found[bucket] != maestro_live[bucket]) {
      fprintf(stderr, "bucket %u has %u live entries, %u are counted\n", bucket, found[bucket], maestro_live[bucket]);
      exit(1);
    }
  }
}

static void *play(void *core_) {
  struct maestro_core *core = core_;
  maestro_self = core->index;
  pthread_mutex_lock(&stage.lock);
  while (stage.turn != (int)core->index) {
    pthread_cond_wait(&stage.changed, &stage.lock);
  }
  if (!maestro_init_core()) {
    abort();
  }
  pass_to(-1);
  while (true) {
    while (stage.turn != (int)core->index && stage.turn != -2) {
      pthread_cond_wait(&stage.changed, &stage.lock);
    }
    if (stage.turn == -2) {
      check_counts();
      pthread_mutex_unlock(&stage.lock);
      return NULL;
    }
    take_burst(core);
    while (maestro_take_strays(core) > 0) {
    }
    pass_to(-1);
  }
}

static void give_turn(unsigned core) {
  pass_to((int)core);
  while (stage.turn != -1) {
    pthread_cond_wait(&stage.changed, &stage.lock);
  }
}

int main(int argc, char **argv) {
  if (argc != 6) {
    return 2;
  }
  maestro_cores = (unsigned)atoi(argv[1]);
  uint64_t steps = strtoull(argv[2], NULL, 10);
  seed = strtoull(argv[3], NULL, 10);
  config.lag = atoll(argv[4]);
  flow_count = (unsigned)atoi(argv[5]);
  config.capacity = flow_count * maestro_cores; // tables never fill
  notes = calloc(NOTES_MAX, sizeof(*notes));
  maestro_options.balance_seconds = 1;
  for (unsigned device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    maestro_tables[device].size = maestro_rss[device].table_size;
  }
  maestro_fill_tables();
  pthread_t threads[THREADS_MAX];
  for (unsigned i = 0; i < maestro_cores; ++i) {
    maestro_core_at[i] = calloc(1, sizeof(struct maestro_core));
    maestro_core_at[i]->index = i;
    maestro_core_at[i]->strays = aligned_alloc(128, (size_t)rte_ring_get_memsize(4096));
    rte_ring_init(maestro_core_at[i]->strays, "ring", 4096, RING_F_SC_DEQ);
    maestro_balance.of_core[i] = calloc(1, sizeof(struct maestro_bucket_counts));
  }
  maestro_number_buckets();
  pthread_mutex_lock(&stage.lock);
  for (unsigned i = 0; i < maestro_cores; ++i) {
    pthread_create(&threads[i], NULL, play, maestro_core_at[i]);
    give_turn(i);
  }
  uint64_t number = 0;
  for (uint64_t step = 0; step < steps && noted < NOTES_MAX - 1000; ++step) {
    uint64_t random = mix(seed * 77 + step);
    switch (random % 8) {
    case 0: // somebody wants other owners for some buckets
      for (unsigned i = 0; i < maestro_balance.count; ++i) {
        uint64_t choice = mix(random + i);
        if (choice % 4 == 0) {
          atomic_store(&maestro_balance.wanted[i], (uint16_t)((choice >> 8) % maestro_cores));
        }
      }
      atomic_fetch_add(&maestro_balance.requests, 1);
      break;
    case 1:
      maestro_show_moves(false);
      break;
    case 2:
    case 3:
      for (unsigned i = 0; i < (random >> 8) % 40; ++i) {
        arrive(number++);
      }
      break;
    default:
      give_turn((unsigned)((random >> 8) % maestro_cores));
    }
  }
  pass_to(-2);
  pthread_mutex_unlock(&stage.lock);
  for (unsigned i = 0; i < maestro_cores; ++i) {
    pthread_join(threads[i], NULL);
  }

  uint64_t answered = 0;
  replay_init(config.lag, config.capacity);
  for (uint64_t i = 0; i < noted; ++i) {
    uint16_t output = (uint16_t)replay_process(notes[i].device, notes[i].packet, 60, notes[i].now);
    if (output != notes[i].output) {
      fprintf(stderr, "packet %" PRIu64 " on device %u: sent to %u, sequentially to %u\n", i, notes[i].device,
              notes[i].output, output);
      return 1;
    }
    answered += notes[i].device == 1 && output == 0;
  }
  printf("%" PRIu64 " packets, %" PRIu64 " answers passed, %u moves\n", noted, answered,
         atomic_load(&maestro_balance.granted));
  return 0;
}
