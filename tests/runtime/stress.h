// In place of main_STRATEGY.h behind an NF whose cores share state: threads run the NF on random packets and note in
// which order packets were processed; then the sequential NF (replay.h) is given the same packets in that order, and must
// do the same with each. Usage: PROGRAM THREADS PACKETS SEED LAG_NS CAPACITY FLOWS WRITING
// (WRITING: bits of the devices whose packets are never taken for readers)
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "packets.h"


struct note {
  uint64_t order; // how many packets had written when this one was processed, itself included
  int64_t now;
  uint64_t packet; // which of its thread's
  unsigned thread;
  uint16_t device;
  uint16_t output;
  uint8_t ttl; // of the packet afterwards
};

int replay_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now);
bool replay_init(int64_t lag, uint32_t capacity);

static uint64_t written; // packets that have written; guarded by the strategy's own locks: that is what is tested
static MAESTRO_PER_CORE struct note *notes;
static MAESTRO_PER_CORE uint64_t noted;

static inline bool is_reader(void) {
#ifdef LOCKS
  return maestro_pass.optimistic;
#else
  return false;
#endif
}

#undef nf_process // the NF's own is called flows_process here
static int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {
  if (!is_reader()) {
    ++written;
  }
  uint64_t order = written;
  int output = flows_process(device, buffer, length, now);
  if (order != written) {
    fprintf(stderr, "a packet was written between the beginning and the end of another\n");
    abort();
  }
  uint64_t packet = noted++;
  notes[packet] = (struct note){order, now, packet, maestro_self, device, (uint16_t)output, buffer[22]};
  return output;
}

#undef MAESTRO_DROPS
#define MAESTRO_DROPS(output, device) ((void)(output), (void)(device), true) // buffers are the test's own

static unsigned writing;
#define MAESTRO_WRITING_DEVICES writing // chosen for each run

#define main maestro_main
#include STRESSED
#undef main

// ---- The run

struct worker {
  pthread_t thread;
  unsigned index;
  uint64_t packets;
  struct note *notes;
  uint64_t noted;
};

static pthread_barrier_t start;

static void *run_worker(void *worker_) {
  struct worker *worker = worker_;
  static MAESTRO_PER_CORE struct rte_mbuf mbufs[MAESTRO_BATCH];
  static MAESTRO_PER_CORE uint8_t buffers[MAESTRO_BATCH][ROOM];
  struct rte_mbuf *burst[MAESTRO_BATCH];
  maestro_self = worker->index;
  notes = worker->notes;
  pthread_barrier_wait(&start);
  for (uint64_t at = 0; at < worker->packets;) {
    uint16_t count = 0;
    uint16_t burst_device = 0;
    // A burst is of one device: as many packets as are of the first one's.
    while (count < MAESTRO_BATCH && at + count < worker->packets) {
      uint16_t device = make_packet(buffers[count], worker->index, at + count);
      if (count > 0 && device != burst_device) {
        break;
      }
      burst_device = device;
      mbufs[count] = (struct rte_mbuf){.buf_addr = buffers[count], .data_len = 60, .pkt_len = 60, .nb_segs = 1, .port = device};
      rte_mbuf_refcnt_set(&mbufs[count], 2); // so that freeing it never gives it to a pool
      burst[count] = &mbufs[count];
      ++count;
    }
    maestro_process(maestro_core_at[worker->index], burst_device, burst, count);
    at += count;
  }
  worker->noted = noted;
  return NULL;
}

static int by_order(const void *a_, const void *b_) {
  const struct note *a = a_;
  const struct note *b = b_;
  if (a->order != b->order) {
    return a->order < b->order ? -1 : 1;
  }
  return a->now != b->now ? (a->now < b->now ? -1 : 1) : 0;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    return 2;
  }
  unsigned threads = (unsigned)atoi(argv[1]);
  uint64_t packets = strtoull(argv[2], NULL, 10);
  seed = strtoull(argv[3], NULL, 10);
  config.lag = atoll(argv[4]);
  config.capacity = (uint32_t)atoi(argv[5]);
  flow_count = (unsigned)atoi(argv[6]);
  writing = (unsigned)atoi(argv[7]);
  maestro_cores = threads;
  if (!nf_init() || !replay_init(config.lag, config.capacity)) {
    return 2;
  }
  struct worker workers[THREADS_MAX];
  struct note *all = calloc(threads * packets, sizeof(*all));
  pthread_barrier_init(&start, NULL, threads);
  for (unsigned i = 0; i < threads; ++i) {
    maestro_core_at[i] = calloc(1, sizeof(struct maestro_core));
    maestro_core_at[i]->index = i;
    workers[i] = (struct worker){.index = i, .packets = packets, .notes = all + i * packets};
    pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
  }
  for (unsigned i = 0; i < threads; ++i) {
    pthread_join(workers[i].thread, NULL);
    if (workers[i].noted != packets) {
      fprintf(stderr, "thread %u finished %" PRIu64 " packets\n", i, workers[i].noted);
      return 1;
    }
  }

  qsort(all, threads * packets, sizeof(*all), by_order);
  uint64_t forwarded = 0;
  for (uint64_t i = 0; i < threads * packets; ++i) {
    uint8_t buffer[ROOM];
    uint16_t device = make_packet(buffer, all[i].thread, all[i].packet);
    if (i > 0 && all[i].now < all[i - 1].now) {
      fprintf(stderr, "packet %" PRIu64 " comes later and is earlier by %" PRId64 " ns\n", i, all[i - 1].now - all[i].now);
      return 1;
    }
    uint16_t output = (uint16_t)replay_process(device, buffer, 60, all[i].now);
    if (device != all[i].device || output != all[i].output || buffer[22] != all[i].ttl) {
      fprintf(stderr, "packet %" PRIu64 " in order, number %" PRIu64 " of thread %u, on device %u: sent to %u with ttl %u, "
              "sequentially to %u with %u\n", i, all[i].packet, all[i].thread, device, all[i].output, all[i].ttl, output,
              buffer[22]);
      return 1;
    }
    forwarded += output != device;
  }
  printf("%" PRIu64 " packets, %" PRIu64 " forwarded, %" PRIu64 " written\n", threads * packets, forwarded, written);
  return 0;
}
