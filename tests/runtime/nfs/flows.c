// An NF written by hand for the runtime: a firewall that lets in only answers, floods what is not IPv4, and counts what it
// has seen of each flow. -DNF=... and -DMAIN=... choose the strategy's headers; RSS_DATA is written by the tests.
#include "maestro/dpdk.h"

#include "libvig/verified/double-chain.h"
#include "libvig/verified/map.h"
#include "libvig/verified/vector.h"

#include NF
#ifdef CHAINS
#  include CHAINS
#endif
#include "maestro/borrow.h"

#include <getopt.h>

// ---- The calls that differ between strategies, as a generator would write them in place

#ifdef SHARED
#  define STATE static
#  define SHARE(capacity) (capacity)
#  define CHAIN struct maestro_dchain
#  define CALL(name) maestro_##name
#elif defined(BALANCED)
#  define STATE static MAESTRO_PER_CORE
#  define SHARE(capacity) maestro_share(capacity)
#  define CHAIN struct maestro_live_chain
#  define dchain_allocate chain_allocate
#  define dchain_allocate_new_index chain_allocate_new_index
#  define dchain_rejuvenate_index chain_rejuvenate_index
#  define CALL(name) LIVE(name)
#  define LIVE(name) maestro_live_##name
#  define maestro_write()
#else
#  define STATE static MAESTRO_PER_CORE
#  define SHARE(capacity) maestro_share(capacity)
#  define CHAIN struct DoubleChain
#  define CALL(name) name
#  define maestro_write()
#  include "libvig/verified/expirator.h"
#endif

struct flow {
  uint32_t src;
  uint32_t dst;
  uint16_t src_port;
  uint16_t dst_port;
};

static struct {
  int64_t lag; // nanoseconds
  uint32_t capacity;
} config;

STATE struct Map *flows;
STATE struct Vector *keys;
STATE CHAIN *chain;

static bool flow_eq(void *a, void *b) {
  return memcmp(a, b, sizeof(struct flow)) == 0;
}

static unsigned flow_hash(void *key) {
  struct flow *flow = key;
  unsigned hash = __builtin_ia32_crc32si(0, flow->src);
  hash = __builtin_ia32_crc32si(hash, flow->dst);
  hash = __builtin_ia32_crc32hi(hash, flow->src_port);
  return __builtin_ia32_crc32hi(hash, flow->dst_port);
}

static void nf_config_init(int argc, char **argv) {
  config.lag = 10000000000;
  config.capacity = 4096;
  int option;
  while ((option = getopt(argc, argv, "e:f:")) != -1) {
    if (option == 'e') {
      config.lag = atoll(optarg);
    } else if (option == 'f') {
      config.capacity = (uint32_t)atoi(optarg);
    } else {
      exit(2);
    }
  }
}

static bool nf_init(void) {
  unsigned capacity = SHARE(config.capacity);
  return map_allocate(flow_eq, flow_hash, capacity, &flows) &&
         vector_allocate(sizeof(struct flow), capacity, NULL, &keys) && CALL(dchain_allocate)((int)capacity, &chain);
}

static int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {
  (void)length;
  CALL(expire_items_single_map)(chain, keys, flows, now - config.lag);

  struct rte_ether_hdr *ether = nf_borrow_next_chunk(buffer, sizeof(*ether));
  if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
      packet_get_unread_length(buffer) < sizeof(struct rte_ipv4_hdr) + 4) {
    return 0xffff;
  }
  struct rte_ipv4_hdr *ip = nf_borrow_next_chunk(buffer, sizeof(*ip));
  uint16_t *ports = nf_borrow_next_chunk(buffer, 4);
#ifdef TOUCHES_PACKET
  --ip->time_to_live; // before the first write of state
#endif
  struct flow flow = {ip->src_addr, ip->dst_addr, ports[0], ports[1]};
  struct flow back = {ip->dst_addr, ip->src_addr, ports[1], ports[0]};
  int index;
  if (device == 1) {
    if (!map_get(flows, &back, &index)) {
      return device;
    }
    CALL(dchain_rejuvenate_index)(chain, index, now);
    return 0;
  }
  if (map_get(flows, &flow, &index)) {
    CALL(dchain_rejuvenate_index)(chain, index, now);
    return 1;
  }
  if (!CALL(dchain_allocate_new_index)(chain, &index, now)) {
    return device;
  }
  maestro_write();
  struct flow *key;
  vector_borrow(keys, index, (void **)&key);
  *key = flow;
  map_put(flows, key, index);
  vector_return(keys, index, key);
  return 1;
}

#define MAESTRO_DROPS(output, device) ((output) == (device))
#define MAESTRO_FLOODS(output, device) ((output) == 0xffff)
#define MAESTRO_NF_DEVICES 2

#ifdef RSS_DATA
#  include RSS_DATA
#endif
#include MAIN
