// Which core gets which packets: indirection tables, on the devices or in software.
#pragma once

#include "maestro/loop.h"
#include "maestro/rss.h"

// An entry is a core. Read by dispatchers while tables are balanced, hence atomic.
struct maestro_table {
  unsigned size;
  _Atomic uint16_t core[MAESTRO_TABLE_MAX];
};

static struct maestro_table maestro_tables[MAESTRO_NF_DEVICES];
static struct maestro_soft_key maestro_soft_keys[MAESTRO_NF_DEVICES];

#define MAESTRO_RING_SIZE 1024 // packets on their way to a core; a few bursts from each device

static struct rte_ring *maestro_make_ring(const char *kind, unsigned core, unsigned size) {
  char name[RTE_RING_NAMESIZE];
  snprintf(name, sizeof(name), "%s-%u", kind, core);
  struct rte_ring *ring = rte_ring_create(name, size, (int)rte_lcore_to_socket_id(maestro_core_at[core]->lcore), RING_F_SC_DEQ);
  if (ring == NULL) {
    maestro_refuse("No memory for a ring of %u packets: %s\n", size, rte_strerror(rte_errno));
  }
  return ring;
}

static const struct {
  uint64_t type;
  const char *name;
} maestro_rss_names[] = {
  {RTE_ETH_RSS_NONFRAG_IPV4_TCP, "ipv4-tcp"},     {RTE_ETH_RSS_NONFRAG_IPV4_UDP, "ipv4-udp"},
  {RTE_ETH_RSS_NONFRAG_IPV4_SCTP, "ipv4-sctp"},   {RTE_ETH_RSS_NONFRAG_IPV4_OTHER, "ipv4-other"},
  {RTE_ETH_RSS_FRAG_IPV4, "ipv4-frag"},           {RTE_ETH_RSS_IPV4, "ipv4"},
  {RTE_ETH_RSS_NONFRAG_IPV6_TCP, "ipv6-tcp"},     {RTE_ETH_RSS_NONFRAG_IPV6_UDP, "ipv6-udp"},
  {RTE_ETH_RSS_NONFRAG_IPV6_SCTP, "ipv6-sctp"},   {RTE_ETH_RSS_NONFRAG_IPV6_OTHER, "ipv6-other"},
  {RTE_ETH_RSS_FRAG_IPV6, "ipv6-frag"},           {RTE_ETH_RSS_IPV6, "ipv6"},
  {RTE_ETH_RSS_L2_PAYLOAD, "l2-payload"},         {RTE_ETH_RSS_ETH, "eth"},
  {RTE_ETH_RSS_L3_SRC_ONLY, "l3-src-only"},       {RTE_ETH_RSS_L3_DST_ONLY, "l3-dst-only"},
  {RTE_ETH_RSS_L4_SRC_ONLY, "l4-src-only"},       {RTE_ETH_RSS_L4_DST_ONLY, "l4-dst-only"},
};

// Why a device cannot do what its configuration asks for, or NULL. The text lives until the next call.
static const char *maestro_rss_lacks(uint16_t device, const struct rte_eth_dev_info *info) {
  static char why[512];
  const struct maestro_rss *rss = &maestro_rss[device];
  static const char *const pretenders[] = {"net_null", "net_pcap", "net_ring"}; // net_null accepts RSS and does nothing
  for (unsigned i = 0; i < RTE_DIM(pretenders); ++i) {
    if (strcmp(info->driver_name, pretenders[i]) == 0) {
      return "it has no RSS";
    }
  }
  uint64_t types = rss->types;
  for (unsigned i = 0; i < rss->rule_count; ++i) {
    types |= rss->rules[i].types;
  }
  int length = snprintf(why, sizeof(why), "it does not hash");
  uint64_t missing = types & ~info->flow_type_rss_offloads;
  for (unsigned i = 0; i < RTE_DIM(maestro_rss_names); ++i) {
    if (missing & maestro_rss_names[i].type) {
      length += snprintf(why + length, sizeof(why) - (size_t)length, " %s", maestro_rss_names[i].name);
    }
  }
  if (missing != 0) {
    return why;
  }
  if (info->hash_key_size != 0 && info->hash_key_size != rss->key_length) {
    snprintf(why, sizeof(why), "its key has %u bytes, the configured one %u", info->hash_key_size, rss->key_length);
    return why;
  }
  // Packets that must meet agree in the lower bits of the hash: a smaller table is fine, a larger one is not.
  if (info->reta_size == 0 || info->reta_size > rss->table_size) {
    snprintf(why, sizeof(why), "its indirection table has %u entries, the key is made for %u", info->reta_size,
             rss->table_size);
    return why;
  }
  return NULL;
}

// Turns `auto` into what all devices can do. Refuses what was asked for and cannot be done.
static enum maestro_dispatch maestro_choose_dispatch(void) {
  enum maestro_dispatch dispatch = maestro_options.dispatch;
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    struct rte_eth_dev_info info;
    if (rte_eth_dev_info_get(device, &info) != 0) {
      maestro_refuse("Device %u does not say what it can\n", device);
    }
    maestro_tables[device].size = maestro_rss[device].table_size;
    const char *lacks = maestro_rss_lacks(device, &info);
    if (lacks != NULL && dispatch == MAESTRO_DISPATCH_RSS) {
      maestro_refuse("Device %u (%s) cannot steer packets as configured: %s. Generate the program again for that NIC "
                     "(--nic), or run it with -- --dispatch software\n", device, info.driver_name, lacks);
    }
    if (lacks != NULL && dispatch == MAESTRO_DISPATCH_AUTO) {
      printf("Device %u (%s) cannot steer packets: %s. The main lcore does it.\n", device, info.driver_name, lacks);
      dispatch = MAESTRO_DISPATCH_SOFTWARE;
    }
  }
  return dispatch == MAESTRO_DISPATCH_AUTO ? MAESTRO_DISPATCH_RSS : dispatch;
}

// Deals entries out to cores, or takes the balanced table. Tied devices get the same contents, with the period of the
// smallest of their tables, so that a packet's core does not depend on which of them it came by.
static void maestro_fill_tables(void) {
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    const struct maestro_rss *rss = &maestro_rss[device];
    maestro_make_soft_key(rss, &maestro_soft_keys[device]);
    unsigned period = maestro_tables[device].size;
    for (uint16_t other = 0; other < MAESTRO_NF_DEVICES; ++other) {
      if (maestro_rss[other].tied == rss->tied) {
        period = RTE_MIN(period, maestro_tables[other].size);
      }
    }
    if (maestro_cores > period) {
      maestro_refuse("%u cores, and tables of %u entries: use fewer cores (-- --cores)\n", maestro_cores, period);
    }
    bool balanced = rss->table != NULL && rss->table_cores == maestro_cores;
    for (unsigned i = 0; i < maestro_tables[device].size; ++i) {
      uint16_t core = balanced ? rss->table[i % period] : (uint16_t)(i % period % maestro_cores);
      atomic_store_explicit(&maestro_tables[device].core[i], core, memory_order_relaxed);
    }
  }
}

static inline uint16_t maestro_core_of_hash(uint16_t device, uint32_t hash) {
  struct maestro_table *table = &maestro_tables[device];
  return atomic_load_explicit(&table->core[hash & (table->size - 1)], memory_order_relaxed);
}

__attribute__((unused)) static unsigned maestro_core_of_packet(uint16_t device, const uint8_t *packet, uint32_t length) {
  return maestro_core_of_hash(device, maestro_hash(&maestro_rss[device], &maestro_soft_keys[device], packet, length));
}

// Writes a device's table into the device.
static int maestro_install_table(uint16_t device) {
  struct maestro_table *table = &maestro_tables[device];
  static struct rte_eth_rss_reta_entry64 groups[MAESTRO_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
  memset(groups, 0, sizeof(groups));
  for (unsigned i = 0; i < table->size; ++i) {
    groups[i / RTE_ETH_RETA_GROUP_SIZE].mask |= UINT64_C(1) << (i % RTE_ETH_RETA_GROUP_SIZE);
    groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
      atomic_load_explicit(&table->core[i], memory_order_relaxed);
  }
  return rte_eth_dev_rss_reta_update(device, groups, (uint16_t)table->size);
}

static int maestro_install_rule(uint16_t device, const struct maestro_rss_rule *rule, struct rte_flow_error *error) {
  struct rte_flow_item pattern[MAESTRO_PATTERN_MAX + 1] = {0};
  for (unsigned i = 0; i < rule->items; ++i) {
    pattern[i].type = rule->pattern[i];
  }
  pattern[rule->items].type = RTE_FLOW_ITEM_TYPE_END;
  // The key is the whole port's; a rule only chooses what is hashed.
  struct rte_flow_action_rss rss = {.types = rule->types};
  struct rte_flow_action actions[] = {
    {.type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rss},
    {.type = RTE_FLOW_ACTION_TYPE_END},
  };
  struct rte_flow_attr ingress = {.ingress = 1};
  return rte_flow_create(device, &ingress, pattern, actions, error) != NULL ? 0 : -rte_errno;
}

// Drivers may quietly leave out what they cannot do: what the device says it does must be what was asked for.
static bool maestro_rss_is_installed(uint16_t device) {
  const struct maestro_rss *rss = &maestro_rss[device];
  uint8_t key[UINT8_MAX] = {0};
  struct rte_eth_rss_conf found = {.rss_key = key, .rss_key_len = rss->key_length};
  if (rte_eth_dev_rss_hash_conf_get(device, &found) != 0) {
    return true; // it does not tell
  }
  return memcmp(key, rss->key, rss->key_length) == 0 && (rss->types & ~found.rss_hf) == 0;
}

static void maestro_start_rss_port(uint16_t device, struct rte_mempool *const *pools) {
  const struct maestro_rss *rss = &maestro_rss[device];
  struct rte_eth_dev_info info;
  rte_eth_dev_info_get(device, &info);
  maestro_tables[device].size = info.reta_size;
  struct rte_eth_conf settings = {
    .rxmode = {.mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH},
    .rx_adv_conf.rss_conf = {
      .rss_key = (uint8_t *)(uintptr_t)rss->key, // not written, though not const
      .rss_key_len = rss->key_length,
      .rss_hf = rss->types,
    },
  };
  maestro_start_port(device, (uint16_t)maestro_cores, pools, &settings);
  for (unsigned i = 0; i < rss->rule_count; ++i) {
    struct rte_flow_error error = {0};
    if (maestro_install_rule(device, &rss->rules[i], &error) != 0) {
      maestro_refuse("Device %u (%s) does not take RSS rule %u: %s. Generate the program again for that NIC (--nic), or "
                     "run it with -- --dispatch software\n", device, info.driver_name, i,
                     error.message != NULL ? error.message : rte_strerror(rte_errno));
    }
  }
  if (!maestro_rss_is_installed(device)) {
    maestro_refuse("Device %u (%s) reports another RSS key or other options than it was given: run the program with "
                   "-- --dispatch software\n", device, info.driver_name);
  }
}

// Starts all devices, and tells them what goes where.
static void maestro_start_ports(enum maestro_dispatch dispatch, struct rte_mempool *const *pools) {
  static const struct rte_eth_conf no_rss;
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    if (dispatch == MAESTRO_DISPATCH_RSS && maestro_cores > 1) {
      maestro_start_rss_port(device, pools);
    } else {
      uint16_t queues = dispatch == MAESTRO_DISPATCH_SOFTWARE ? 1 : (uint16_t)maestro_cores;
      maestro_start_port(device, queues, pools, &no_rss);
    }
  }
  maestro_fill_tables();
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES && dispatch == MAESTRO_DISPATCH_RSS && maestro_cores > 1; ++device) {
    int error = maestro_install_table(device);
    if (error != 0) {
      maestro_refuse("Device %u does not take an indirection table: %s\n", device, rte_strerror(-error));
    }
  }
}
