// A NAT written by hand for the RSS-aware allocator: device 0 inside, device 1 outside; external ports are indices.
#include "maestro/dpdk.h"

#include "libvig/verified/double-chain.h"
#include "libvig/verified/map.h"
#include "libvig/verified/vector.h"

#include NF

#include "maestro/borrow.h"
#include "maestro/share_rss.h"

#include <getopt.h>

#define FIRST_PORT 1000
#define EXTERNAL RTE_IPV4(1, 2, 3, 4)

struct flow {
  uint32_t src;
  uint32_t dst;
  uint16_t src_port;
  uint16_t dst_port;
};

static int64_t lag = 10000000000; // nanoseconds
static int ports = 60000;

static MAESTRO_PER_CORE struct Map *flows;
static MAESTRO_PER_CORE struct Vector *keys;
static MAESTRO_PER_CORE struct maestro_rss_chain *chain;

static bool flow_eq(void *a, void *b) {
  return memcmp(a, b, sizeof(struct flow)) == 0;
}

static unsigned flow_hash(void *key) {
  struct flow *flow = key;
  return flow->src * 31 + flow->dst * 37 + flow->src_port * 41u + flow->dst_port;
}

// The core of answers to a port. What else they carry has no weight.
static unsigned core_of(int index) {
  uint16_t port = (uint16_t)(FIRST_PORT + index);
  uint8_t answer[60] = {[12] = 0x08, [14] = 0x45, [23] = IPPROTO_UDP, [36] = (uint8_t)(port >> 8), [37] = (uint8_t)port};
  return maestro_core_of_packet(1, answer, sizeof(answer));
}

static void nf_config_init(int argc, char **argv) {
  int option;
  while ((option = getopt(argc, argv, "e:p:")) != -1) {
    if (option == 'e') {
      lag = atoll(optarg);
    } else {
      ports = atoi(optarg);
    }
  }
}

static bool nf_init(void) {
  return map_allocate(flow_eq, flow_hash, (unsigned)ports, &flows) &&
         vector_allocate(sizeof(struct flow), (unsigned)ports, NULL, &keys) &&
         maestro_rss_chain_allocate(ports, &chain, core_of);
}

static int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {
  (void)length;
  maestro_rss_expire_items_single_map(chain, keys, flows, now - lag);
  struct rte_ether_hdr *ether = nf_borrow_next_chunk(buffer, sizeof(*ether));
  struct rte_ipv4_hdr *ip = nf_borrow_next_chunk(buffer, sizeof(*ip));
  uint16_t *port = nf_borrow_next_chunk(buffer, 4);
  (void)ether;
  struct flow *key;
  int index;
  if (device == 1) {
    index = rte_be_to_cpu_16(port[1]) - FIRST_PORT;
    if (!maestro_rss_chain_is_index_allocated(chain, index)) {
      return device;
    }
    vector_borrow(keys, index, (void **)&key);
    ip->dst_addr = key->src;
    port[1] = key->src_port;
    vector_return(keys, index, key);
    maestro_rss_chain_rejuvenate_index(chain, index, now);
    return 0;
  }
  struct flow flow = {ip->src_addr, ip->dst_addr, port[0], port[1]};
  if (!map_get(flows, &flow, &index)) {
    if (!maestro_rss_chain_allocate_new_index(chain, &index, now)) {
      return device;
    }
    vector_borrow(keys, index, (void **)&key);
    *key = flow;
    map_put(flows, key, index);
    vector_return(keys, index, key);
  } else {
    maestro_rss_chain_rejuvenate_index(chain, index, now);
  }
  ip->src_addr = rte_cpu_to_be_32(EXTERNAL);
  port[0] = rte_cpu_to_be_16((uint16_t)(FIRST_PORT + index));
  return 1;
}

#define MAESTRO_DROPS(output, device) ((output) == (device))
#define MAESTRO_FLOODS(output, device) ((output) == 0xffff)
#define MAESTRO_NF_DEVICES 2

#include RSS_DATA
#include MAIN
