// A generated program whose cores run side by side on packets from a file, for sanitizers to watch. Built with
// -DREPLAY_PROGRAM='"file.c"'. Usage: PROGRAM FILE CORES STEP NF-OPTIONS...
// FILE holds packets: device and length as 16-bit numbers, then the bytes. The clock goes on by STEP ns each time it is asked.
#include "compat/dpdk_names.h"

#include <getopt.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replay/outputs.h"

#define BURST_MAX 4

static _Atomic int64_t clock_now = 1000000000000;
static int64_t clock_step;

static uint16_t send_to_nobody(uint16_t device, uint16_t queue, struct rte_mbuf **packets, uint16_t count) {
  static _Thread_local volatile uint8_t seen;
  (void)device;
  (void)queue;
  for (uint16_t i = 0; i < count; ++i) {
    for (uint32_t at = 0; at < packets[i]->pkt_len; ++at) {
      seen ^= rte_pktmbuf_mtod(packets[i], uint8_t *)[at];
    }
  }
  return count;
}

static void keep(struct rte_mbuf *packet) {
  (void)packet;
}

static int tell(clockid_t clock, struct timespec *time) {
  (void)clock;
  int64_t now = atomic_fetch_add(&clock_now, clock_step);
  *time = (struct timespec){.tv_sec = now / 1000000000, .tv_nsec = now % 1000000000};
  return 0;
}

#define rte_eth_tx_burst send_to_nobody
#define rte_pktmbuf_free keep
#define clock_gettime tell
#define main replay_main
#include REPLAY_PROGRAM
#undef main

REPLAY_DEVICE_FUNCTIONS(MAESTRO_NF_DEVICES)

struct arrival {
  uint16_t device;
  uint16_t length;
  uint8_t *bytes;
  unsigned core;
};

static struct arrival *arrivals;
static size_t arrival_count;
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t started;

#ifdef ALONE // its main() calls nf_init itself
static bool maestro_init_shared(void) {
  return true;
}

static bool maestro_init_core(void) {
  return nf_init();
}
#endif

static unsigned core_of(size_t number) {
#if defined(STEERED)
  const struct arrival *a = &arrivals[number];
  uint32_t hash = maestro_hash(&maestro_rss[a->device], &maestro_soft_keys[a->device], a->bytes, a->length);
  return maestro_core_of_hash(a->device, hash);
#else
  return (unsigned)(number / 3 % maestro_cores);
#endif
}

static void read_arrivals(const char *path) {
  FILE *file = fopen(path, "rb");
  uint16_t head[2];
  while (file != NULL && fread(head, sizeof(head), 1, file) == 1) {
    arrivals = realloc(arrivals, (arrival_count + 1) * sizeof(*arrivals));
    struct arrival *a = &arrivals[arrival_count++];
    *a = (struct arrival){.device = head[0], .length = head[1], .bytes = malloc(head[1])};
    if (fread(a->bytes, a->length, 1, file) != 1) {
      exit(2);
    }
  }
  if (arrival_count == 0) {
    exit(2);
  }
}

// Buffers are as large as their packets, so that reading too far is seen.
static struct rte_mbuf *received(const struct arrival *a) {
  struct rte_mbuf *packet = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*packet));
  uint8_t *room = malloc(REPLAY_HEADROOM + a->length);
  memcpy(room + REPLAY_HEADROOM, a->bytes, a->length);
  *packet = (struct rte_mbuf){.buf_addr = room, .buf_len = (uint16_t)(REPLAY_HEADROOM + a->length), .data_off = REPLAY_HEADROOM,
                              .nb_segs = 1, .port = a->device, .pkt_len = a->length, .data_len = a->length};
  rte_mbuf_refcnt_set(packet, 2);
  return packet;
}

static void *run_core(void *core_) {
  struct maestro_core *core = core_;
  maestro_self = core->index;
  pthread_mutex_lock(&starting); // as in the runtime's main.h
  bool ok = maestro_init_core();
  pthread_mutex_unlock(&starting);
  if (!ok) {
    fprintf(stderr, "nf_init failed\n");
    exit(2);
  }
  pthread_barrier_wait(&started);
  for (size_t at = 0; at < arrival_count;) {
    struct rte_mbuf *burst[BURST_MAX];
    uint16_t device = 0, count = 0;
    for (; at < arrival_count && count < BURST_MAX; ++at) {
      if (arrivals[at].core != core->index) {
        continue;
      }
      if (count > 0 && arrivals[at].device != device) {
        break;
      }
      device = arrivals[at].device;
      burst[count++] = received(&arrivals[at]);
    }
    if (count > 0) {
      maestro_process(core, device, burst, count);
    }
    for (uint16_t i = 0; i < count; ++i) {
      free(burst[i]->buf_addr);
      free(burst[i]);
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    return 2;
  }
  maestro_cores = (unsigned)atoi(argv[2]);
  clock_step = atoll(argv[3]);
  read_arrivals(argv[1]);
  argv[3] = argv[0];
  nf_config_init(argc - 3, argv + 3);
  for (unsigned i = 0; i < maestro_cores; ++i) {
    size_t size = RTE_ALIGN_CEIL(sizeof(struct maestro_core), 2 * RTE_CACHE_LINE_SIZE);
    maestro_core_at[i] = aligned_alloc(2 * RTE_CACHE_LINE_SIZE, size);
    memset(maestro_core_at[i], 0, size);
    maestro_core_at[i]->index = i;
  }
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    maestro_ports[device].tx_queues = (uint16_t)maestro_cores;
#ifndef ALONE
    maestro_tables[device].size = maestro_rss[device].table_size;
#endif
  }
#ifndef ALONE
  maestro_fill_tables();
#endif
  for (size_t i = 0; i < arrival_count; ++i) {
    arrivals[i].core = core_of(i);
  }
  if (!maestro_init_shared()) {
    fprintf(stderr, "nf_init failed\n");
    return 2;
  }
  pthread_t threads[MAESTRO_CORES_MAX];
  pthread_barrier_init(&started, NULL, maestro_cores);
  for (unsigned i = 0; i < maestro_cores; ++i) {
    pthread_create(&threads[i], NULL, run_core, maestro_core_at[i]);
  }
  uint64_t done = 0;
  for (unsigned i = 0; i < maestro_cores; ++i) {
    pthread_join(threads[i], NULL);
    done += maestro_core_at[i]->counts.received;
  }
  printf("%zu packets, %llu processed\n", arrival_count, (unsigned long long)done);
  return done == arrival_count ? 0 : 2;
}
