// The software hash of a configuration, for ctypes.
#include "maestro/dpdk.h"
#include "maestro/rss.h"

#define MAESTRO_NF_DEVICES 1
#include RSS_DATA

uint32_t hash(const uint8_t *packet, uint32_t length);

uint32_t hash(const uint8_t *packet, uint32_t length) {
  struct maestro_soft_key key;
  maestro_make_soft_key(&maestro_rss[0], &key);
  return maestro_hash(&maestro_rss[0], &key, packet, length);
}
