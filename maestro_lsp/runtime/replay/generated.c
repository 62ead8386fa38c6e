// A generated program as a shared object that takes its packets from a caller instead of from devices. Built with
// -DREPLAY_PROGRAM='"file.c"'. The program is not changed: what it calls to send, to free and to tell the time is.
#include "compat/dpdk_names.h"

#include <getopt.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replay/outputs.h"

static struct replay_output *replay_sent;
static int64_t replay_now; // nanoseconds

static uint16_t replay_send(uint16_t device, uint16_t queue, struct rte_mbuf **packets, uint16_t count) {
  (void)queue;
  for (uint16_t i = 0; i < count && replay_sent->count < REPLAY_OUTPUTS_MAX; ++i) {
    replay_sent->devices[replay_sent->count++] = device;
    replay_sent->length = packets[i]->pkt_len;
    memcpy(replay_sent->bytes, rte_pktmbuf_mtod(packets[i], uint8_t *), packets[i]->pkt_len);
  }
  return count;
}

static void replay_free(struct rte_mbuf *packet) {
  (void)packet;
}

static int replay_clock(clockid_t clock, struct timespec *now) {
  (void)clock;
  *now = (struct timespec){.tv_sec = replay_now / 1000000000, .tv_nsec = replay_now % 1000000000};
  return 0;
}

#define rte_eth_tx_burst replay_send
#define rte_pktmbuf_free replay_free
#define clock_gettime replay_clock
#define main replay_main
#include REPLAY_PROGRAM
#undef main

REPLAY_DEVICE_FUNCTIONS(MAESTRO_NF_DEVICES)

#ifdef REPLAY_SEQUENTIAL // its main() calls nf_init itself
static bool maestro_init_shared(void) {
  return true;
}

static bool maestro_init_core(void) {
  return nf_init();
}
#endif

// ---- Cores: threads that take turns, so that what is each core's own really is

struct replay_core {
  pthread_t thread;
  sem_t wanted, done;
  uint16_t device;
  struct rte_mbuf *packet;
  bool started;
};

static struct replay_core *replay_cores;

static void *replay_run_core(void *core_) {
  struct replay_core *core = core_;
  maestro_self = (unsigned)(core - replay_cores);
  core->started = maestro_init_core();
  for (;;) {
    sem_post(&core->done);
    sem_wait(&core->wanted);
    maestro_process(maestro_core_at[maestro_self], core->device, &core->packet, 1);
  }
  return NULL;
}

// Starts the program on a number of cores, as its main() does. Returns whether all could.
int replay_start(unsigned cores, int argc, char **argv) {
  maestro_cores = cores;
  optind = 0; // glibc: start afresh, whatever another program in this process has parsed
  nf_config_init(argc, argv);
  replay_cores = calloc(cores, sizeof(*replay_cores));
  for (unsigned i = 0; i < cores; ++i) {
    size_t size = RTE_ALIGN_CEIL(sizeof(struct maestro_core), 2 * RTE_CACHE_LINE_SIZE);
    maestro_core_at[i] = aligned_alloc(2 * RTE_CACHE_LINE_SIZE, size);
    memset(maestro_core_at[i], 0, size);
    maestro_core_at[i]->index = i;
  }
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    maestro_ports[device].tx_queues = (uint16_t)cores;
  }
#ifndef REPLAY_SEQUENTIAL
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    maestro_tables[device].size = maestro_rss[device].table_size;
  }
  maestro_fill_tables(); // start-up may ask which core a packet goes to
#endif
  bool ok = maestro_init_shared();
  for (unsigned i = 0; i < cores && ok; ++i) {
    sem_init(&replay_cores[i].wanted, 0, 0);
    sem_init(&replay_cores[i].done, 0, 0);
    ok = pthread_create(&replay_cores[i].thread, NULL, replay_run_core, &replay_cores[i]) == 0;
    if (ok) {
      sem_wait(&replay_cores[i].done);
      ok = replay_cores[i].started;
    }
  }
  return ok;
}

void replay_packet(unsigned core, uint16_t device, const uint8_t *bytes, uint32_t length, int64_t now,
                   struct replay_output *sent) {
  static uint8_t room[REPLAY_HEADROOM + REPLAY_ROOM + REPLAY_HEADROOM] __attribute__((aligned(64)));
  static struct rte_mbuf packet;
  memcpy(room + REPLAY_HEADROOM, bytes, length);
  memset(room + REPLAY_HEADROOM + length, 0, sizeof(room) - REPLAY_HEADROOM - length); // for NFs that read too far
  packet = (struct rte_mbuf){
    .buf_addr = room,
    .buf_len = sizeof(room),
    .data_off = REPLAY_HEADROOM,
    .refcnt = 1,
    .nb_segs = 1,
    .port = device,
    .pkt_len = length,
    .data_len = (uint16_t)length,
  };
  replay_sent = sent;
  replay_now = now;
  sent->count = 0;
  replay_cores[core].device = device;
  replay_cores[core].packet = &packet;
  sem_post(&replay_cores[core].wanted);
  sem_wait(&replay_cores[core].done);
}

#ifndef REPLAY_SEQUENTIAL
// The core that the program's own RSS data gives a packet to, with entries dealt out in turn.
unsigned replay_core_of(uint16_t device, const uint8_t *bytes, uint32_t length) {
  uint32_t hash = maestro_hash(&maestro_rss[device], &maestro_soft_keys[device], bytes, length);
  return maestro_core_of_hash(device, hash);
}
#endif
