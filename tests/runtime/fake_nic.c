// Makes net_null devices NICs with RSS, as far as a program can tell: linked with --wrap. What they are told is printed, and what they
// can is said by the environment: NIC_TYPES (hexadecimal), NIC_KEY and NIC_TABLE (sizes), NIC_FORGETS (they keep another key),
// NIC_NO_RULES (they take no flow rules).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_flow.h>

#define DEVICES 8

static struct rte_eth_rss_conf told[DEVICES];
static uint8_t keys[DEVICES][256];

static uint64_t number(const char *name, int base, uint64_t otherwise) {
  const char *text = getenv(name);
  return text != NULL ? strtoull(text, NULL, base) : otherwise;
}

int __real_rte_eth_dev_info_get(uint16_t device, struct rte_eth_dev_info *info);
int __wrap_rte_eth_dev_info_get(uint16_t device, struct rte_eth_dev_info *info) {
  int error = __real_rte_eth_dev_info_get(device, info);
  info->driver_name = "net_fake";
  info->flow_type_rss_offloads = number("NIC_TYPES", 16, UINT64_MAX);
  info->hash_key_size = (uint8_t)number("NIC_KEY", 10, 52);
  info->reta_size = (uint16_t)number("NIC_TABLE", 10, 512);
  return error;
}

int __real_rte_eth_dev_configure(uint16_t device, uint16_t rx, uint16_t tx, const struct rte_eth_conf *settings);
int __wrap_rte_eth_dev_configure(uint16_t device, uint16_t rx, uint16_t tx, const struct rte_eth_conf *settings) {
  static const struct rte_eth_conf plain;
  told[device] = settings->rx_adv_conf.rss_conf;
  if (told[device].rss_key != NULL) {
    memcpy(keys[device], told[device].rss_key, told[device].rss_key_len);
    printf("NIC %u queues %u types %llx key ", device, rx, (unsigned long long)told[device].rss_hf);
    for (unsigned i = 0; i < told[device].rss_key_len; ++i) {
      printf("%02x", keys[device][i]);
    }
    printf("\n");
  }
  return __real_rte_eth_dev_configure(device, rx, tx, &plain);
}

int __wrap_rte_eth_dev_rss_hash_conf_get(uint16_t device, struct rte_eth_rss_conf *found) {
  memcpy(found->rss_key, keys[device], found->rss_key_len);
  found->rss_key[0] ^= getenv("NIC_FORGETS") != NULL;
  found->rss_hf = told[device].rss_hf;
  return 0;
}

int __wrap_rte_eth_dev_rss_reta_update(uint16_t device, struct rte_eth_rss_reta_entry64 *groups, uint16_t size) {
  printf("NIC %u table", device);
  for (unsigned i = 0; i < size; ++i) {
    const struct rte_eth_rss_reta_entry64 *group = &groups[i / RTE_ETH_RETA_GROUP_SIZE];
    printf(" %d", group->mask >> i % RTE_ETH_RETA_GROUP_SIZE & 1 ? group->reta[i % RTE_ETH_RETA_GROUP_SIZE] : -1);
  }
  printf("\n");
  return 0;
}

struct rte_flow *__wrap_rte_flow_create(uint16_t device, const struct rte_flow_attr *attributes, const struct rte_flow_item pattern[],
                                        const struct rte_flow_action actions[], struct rte_flow_error *error) {
  static int flow;
  if (getenv("NIC_NO_RULES") != NULL) {
    error->message = "no such rule";
    rte_errno = ENOTSUP;
    return NULL;
  }
  const struct rte_flow_action_rss *rss = actions[0].conf;
  printf("NIC %u rule types %llx ingress %u pattern", device, (unsigned long long)rss->types, attributes->ingress);
  for (unsigned i = 0; pattern[i].type != RTE_FLOW_ITEM_TYPE_END; ++i) {
    printf(" %d", pattern[i].type);
  }
  printf("\n");
  return (struct rte_flow *)&flow;
}
