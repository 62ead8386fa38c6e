// Packets from memory for any DPDK program: linked with --wrap, it takes the place of the receive and transmit functions of
// whatever device the program starts (net_null, say). Reads a trace (memory.py writes it), feeds it to the queues it names,
// and prints one line of JSON at the end.
//
// Environment: MEMORY_TRACE   file of records {device, queue, length, 0: 16 bits each}, then the frame
//              MEMORY_ROUNDS  how often each queue's packets are played (1)
//              MEMORY_EXIT    end the process after the last packet, for programs that never end
//              MEMORY_CAPTURE file to write what was sent to, in the same format
//
// Under callgrind (--collect-atstart=no) only the program between receiving and transmitting is counted.
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#if __has_include(<valgrind/callgrind.h>)
#  include <valgrind/callgrind.h>
#else
#  define CALLGRIND_TOGGLE_COLLECT // nobody counts
#endif

#define DEVICES 8
#define QUEUES 16
#define LATENCY_BUCKETS 4096 // 64 for each power of two nanoseconds

struct frame {
  uint16_t length;
  uint8_t bytes[];
};

struct queue {
  _Alignas(128) struct frame **frames;
  uint32_t count;
  uint32_t at;
  uint32_t rounds; // left
  struct rte_mempool *pool;
  uint16_t device;
  uint16_t number;
  uint64_t received; // after the first of several rounds, which fills tables
  uint64_t wall[2];  // first and last of these receptions, nanoseconds
  uint64_t cpu[2];   // the receiving thread's processor time then
  bool warm; // past its first round
  bool done;
};

struct sink {
  _Alignas(128) uint64_t sent;
  uint16_t device;
  uint16_t number;
  uint64_t latencies[LATENCY_BUCKETS];
};

static struct queue queues[DEVICES][QUEUES];
static struct sink sinks[DEVICES][QUEUES];
static void *queue_data[DEVICES][RTE_MAX_QUEUES_PER_PORT];
static void *sink_data[DEVICES][RTE_MAX_QUEUES_PER_PORT];
static FILE *capture;
static pthread_mutex_t capturing = PTHREAD_MUTEX_INITIALIZER;
static bool exits;
static _Thread_local bool counting; // callgrind counts now

static void fail(const char *why) {
  fprintf(stderr, "memory source: %s\n", why);
  exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// ---- The trace

static void read_trace(void) {
  const char *path = getenv("MEMORY_TRACE");
  FILE *file = path == NULL ? NULL : fopen(path, "rb");
  if (file == NULL) {
    fail("MEMORY_TRACE names no file");
  }
  uint32_t rounds = getenv("MEMORY_ROUNDS") == NULL ? 1 : (uint32_t)atoi(getenv("MEMORY_ROUNDS"));
  uint16_t header[4];
  while (fread(header, sizeof(header), 1, file) == 1) {
    if (header[0] >= DEVICES || header[1] >= QUEUES) {
      fail("a device or queue of the trace is too large");
    }
    struct queue *queue = &queues[header[0]][header[1]];
    struct frame *frame = malloc(sizeof(*frame) + header[2]);
    frame->length = header[2];
    if (fread(frame->bytes, header[2], 1, file) != 1) {
      fail("the trace is cut off");
    }
    if ((queue->count & (queue->count - 1)) == 0) { // full, as its size doubles
      queue->frames = realloc(queue->frames, 2 * (queue->count + 1) * sizeof(frame));
    }
    queue->frames[queue->count++] = frame;
    queue->rounds = rounds;
  }
  fclose(file);
}

// ---- Results

static uint64_t bucket_of(uint64_t ns) {
  if (ns < 64) {
    return ns;
  }
  unsigned power = 63 - (unsigned)__builtin_clzll(ns); // >= 6
  return RTE_MIN((power - 5) * UINT64_C(64) + ((ns >> (power - 6)) & 63), (uint64_t)LATENCY_BUCKETS - 1);
}

static uint64_t latency_at(const uint64_t *latencies, uint64_t total, double share) {
  uint64_t seen = 0;
  for (uint64_t bucket = 0; bucket < LATENCY_BUCKETS; ++bucket) {
    seen += latencies[bucket];
    if (seen > 0 && (double)seen >= share * (double)total) {
      return bucket < 64 ? bucket : (64 + bucket % 64) << (bucket / 64 - 1);
    }
  }
  return 0;
}

static void print_results(void) {
  static uint64_t latencies[LATENCY_BUCKETS];
  uint64_t sent = 0;
  printf("MEMORY {\"queues\": [");
  const char *separator = "";
  for (unsigned device = 0; device < DEVICES; ++device) {
    for (unsigned number = 0; number < QUEUES; ++number) {
      struct queue *queue = &queues[device][number];
      sent += sinks[device][number].sent;
      for (unsigned i = 0; i < LATENCY_BUCKETS; ++i) {
        latencies[i] += sinks[device][number].latencies[i];
      }
      if (queue->received > 0) {
        printf("%s{\"device\": %u, \"queue\": %u, \"received\": %" PRIu64 ", \"wall_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 "}",
               separator, device, number, queue->received, queue->wall[1] - queue->wall[0], queue->cpu[1] - queue->cpu[0]);
        separator = ", ";
      }
    }
  }
  printf("], \"sent\": %" PRIu64 ", \"latency_ns\": {", sent);
  static const double shares[] = {0.5, 0.9, 0.95, 0.99, 0.999};
  for (unsigned i = 0; i < RTE_DIM(shares); ++i) {
    printf("%s\"%g\": %" PRIu64, i == 0 ? "" : ", ", 100 * shares[i], latency_at(latencies, sent, shares[i]));
  }
  printf("}}\n");
  fflush(stdout);
  if (capture != NULL) {
    fclose(capture);
  }
}

// ---- Receiving and transmitting

// Whether a flag, given by its place, is set for all queues of the trace.
static bool all_are(size_t flag) {
  for (unsigned device = 0; device < DEVICES; ++device) {
    for (unsigned number = 0; number < QUEUES; ++number) {
      struct queue *queue = &queues[device][number];
      if (queue->count > 0 && !*((volatile bool *)queue + flag)) {
        return false;
      }
    }
  }
  return true;
}

static void toggle(void) {
  CALLGRIND_TOGGLE_COLLECT;
}

static uint16_t give(struct queue *queue, struct rte_mbuf **packets, uint16_t wanted) {
  if (queue->at == queue->count && queue->rounds > 1 && !queue->warm) {
    queue->warm = true;
    queue->received = 0;
  }
  if (queue->warm && queue->received == 0 && !all_are(offsetof(struct queue, warm))) {
    return 0; // what others still do to fill tables is not measured either
  }
  if (queue->at == queue->count) {
    if (queue->rounds <= 1 || queue->count == 0) {
      if (queue->count > 0 && !queue->done) {
        queue->wall[1] = clock_ns(CLOCK_MONOTONIC);
        queue->cpu[1] = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        queue->done = true;
      }
      if (exits && all_are(offsetof(struct queue, done))) {
        exit(0);
      }
      return 0;
    }
    --queue->rounds;
    queue->at = 0;
  }
  uint16_t count = (uint16_t)RTE_MIN((uint32_t)wanted, queue->count - queue->at);
  if (rte_pktmbuf_alloc_bulk(queue->pool, packets, count) != 0) {
    return 0;
  }
  if (queue->received == 0) {
    queue->wall[0] = clock_ns(CLOCK_MONOTONIC);
    queue->cpu[0] = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  }
  uint64_t now = rte_rdtsc();
  for (uint16_t i = 0; i < count; ++i) {
    const struct frame *frame = queue->frames[queue->at++];
    struct rte_mbuf *packet = packets[i];
    memcpy(rte_pktmbuf_mtod(packet, void *), frame->bytes, frame->length);
    packet->pkt_len = packet->data_len = frame->length;
    packet->port = queue->device;
    memcpy(packet->dynfield1, &now, sizeof(now));
  }
  queue->received += count;
  return count;
}

static uint16_t receive(void *queue, struct rte_mbuf **packets, uint16_t wanted) {
  if (counting) {
    toggle();
  }
  uint16_t count = give(queue, packets, wanted);
  counting = true;
  toggle();
  return count;
}

static void capture_packet(const struct sink *sink, const struct rte_mbuf *packet) {
  uint16_t header[4] = {sink->device, sink->number, packet->data_len, 0};
  pthread_mutex_lock(&capturing);
  fwrite(header, sizeof(header), 1, capture);
  fwrite(rte_pktmbuf_mtod(packet, void *), packet->data_len, 1, capture);
  pthread_mutex_unlock(&capturing);
}

static uint16_t transmit(void *sink_, struct rte_mbuf **packets, uint16_t count) {
  struct sink *sink = sink_;
  toggle();
  uint64_t now = rte_rdtsc();
  uint64_t hz = rte_get_tsc_hz();
  for (uint16_t i = 0; i < count; ++i) {
    uint64_t received;
    memcpy(&received, packets[i]->dynfield1, sizeof(received));
    ++sink->latencies[bucket_of((now - received) * 1000 / (hz / 1000000))];
    if (capture != NULL) {
      capture_packet(sink, packets[i]);
    }
  }
  rte_pktmbuf_free_bulk(packets, count);
  sink->sent += count;
  toggle();
  return count;
}

// ---- In place of DPDK's

int __real_rte_eth_rx_queue_setup(uint16_t device, uint16_t queue, uint16_t size, unsigned node,
                                  const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int __wrap_rte_eth_rx_queue_setup(uint16_t device, uint16_t queue, uint16_t size, unsigned node,
                                  const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int __real_rte_eth_dev_start(uint16_t device);
int __wrap_rte_eth_dev_start(uint16_t device);

int __wrap_rte_eth_rx_queue_setup(uint16_t device, uint16_t queue, uint16_t size, unsigned node,
                                  const struct rte_eth_rxconf *conf, struct rte_mempool *pool) {
  if (device >= DEVICES || queue >= QUEUES) {
    fail("too many devices or queues");
  }
  queues[device][queue].pool = pool;
  return __real_rte_eth_rx_queue_setup(device, queue, size, node, conf, pool);
}

int __wrap_rte_eth_dev_start(uint16_t device) {
  static bool ready;
  if (!ready) {
    ready = true;
    read_trace();
    exits = getenv("MEMORY_EXIT") != NULL;
    if (getenv("MEMORY_CAPTURE") != NULL) {
      capture = fopen(getenv("MEMORY_CAPTURE"), "wb");
    }
    atexit(print_results);
  }
  int error = __real_rte_eth_dev_start(device);
  for (uint16_t number = 0; number < QUEUES; ++number) {
    queues[device][number].device = sinks[device][number].device = device;
    queues[device][number].number = sinks[device][number].number = number;
    queue_data[device][number] = &queues[device][number];
    sink_data[device][number] = &sinks[device][number];
  }
  rte_eth_fp_ops[device].rxq.data = queue_data[device];
  rte_eth_fp_ops[device].txq.data = sink_data[device];
  rte_eth_fp_ops[device].rx_pkt_burst = receive;
  rte_eth_fp_ops[device].tx_pkt_burst = transmit;
  return error;
}
