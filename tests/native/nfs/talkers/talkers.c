// Counts packets by IPv4 source: a table with expiry, as small as one can be. Sources above a limit are
// dropped (returned to their own device); others are forwarded with their addresses exchanged, by DPDK's old and
// new field names. Not IPv4: flooded.
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rte_ethdev.h>
#include <rte_ip.h>

#include "libvig/verified/boilerplate-util.h"
#include "libvig/verified/expirator.h"
#include "libvig/verified/packet-io.h"

struct source {
  uint8_t kind; // always 4; leaves three bytes of padding behind it
  uint32_t address;
};

static bool source_eq(void *a, void *b) {
  struct source *x = a;
  struct source *y = b;
  return x->kind == y->kind AND x->address == y->address;
}

static unsigned source_hash(void *key) {
  return ((struct source *)key)->address * 2654435761u;
}

static struct {
  int capacity;
  vigor_time_t lifetime;
  uint32_t limit;
} config = {.capacity = 16, .lifetime = 1000, .limit = 3};

static struct Map *indices;
static struct Vector *sources;
static struct Vector *counts;
static struct DoubleChain *ages;

void nf_config_init(int argc, char **argv) {
  static const struct option options[] = {
    {"capacity", required_argument, NULL, 'c'},
    {"lifetime", required_argument, NULL, 'l'},
    {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "c:l:", options, NULL)) != EOF;) {
    switch (option) {
    case 'c':
      config.capacity = atoi(optarg);
      break;
    case 'l':
      config.lifetime = atoi(optarg);
      break;
    default:
      rte_exit(EXIT_FAILURE, "unknown option\n");
    }
  }
}

bool nf_init(void) {
  unsigned capacity = (unsigned)config.capacity;
  return map_allocate(source_eq, source_hash, capacity, &indices) &&
         vector_allocate(sizeof(struct source), capacity, NULL, &sources) &&
         vector_allocate(sizeof(uint32_t), capacity, null_init, &counts) &&
         dchain_allocate(config.capacity, &ages);
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, vigor_time_t now) {
  (void)length;
  expire_items_single_map(ages, sources, indices, now - config.lifetime);

  struct rte_ether_hdr *ether;
  packet_borrow_next_chunk(buffer, sizeof(*ether), (void **)&ether);
  if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
      packet_get_unread_length(buffer) < sizeof(struct rte_ipv4_hdr)) {
    return 0xffff;
  }
  struct rte_ipv4_hdr *ip;
  packet_borrow_next_chunk(buffer, sizeof(*ip), (void **)&ip);

  struct source source;
  source.kind = 4; // leaves the padding as it is, which equality must not see
  source.address = ip->src_addr;
  int index;
  uint32_t *count;
  if (map_get(indices, &source, &index)) {
    dchain_rejuvenate_index(ages, index, now);
    vector_borrow(counts, index, (void **)&count);
    ++*count;
  } else {
    if (!dchain_allocate_new_index(ages, &index, now)) {
      return device;
    }
    struct source *key;
    vector_borrow(sources, index, (void **)&key);
    *key = source;
    map_put(indices, key, index);
    vector_return(sources, index, key);
    vector_borrow(counts, index, (void **)&count);
    *count = 1;
  }
  bool over = *count > config.limit;
  vector_return(counts, index, count);
  if (over) {
    return device;
  }
  struct rte_ether_addr from = ether->s_addr;
  ether->src_addr = ether->d_addr;
  ether->dst_addr = from;
  return device ^ 1;
}
