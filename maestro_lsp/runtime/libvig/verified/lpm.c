// LPM: a table indexed by the first 24 bits of the address, whose entries either decide or point to a group
// of 256 entries for the last 8 bits. Each entry knows the length of the prefix it comes from, so that
// updates in any order leave the longest one. Zeroed memory is an empty table: the 48 MB become resident only
// where prefixes are stored.
#include "lpm.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BITS 24
#define GROUP_SIZE 256

// What a next-hop field holds: nothing, a value plus one, or (first table only) a group's number.
#define EMPTY 0
#define GROUP_BASE (MAX_NEXT_HOP_VALUE + 2)
#define GROUPS_MAX (0x10000 - GROUP_BASE)

struct group {
  uint16_t hop[GROUP_SIZE];
  uint8_t length[GROUP_SIZE];
};

struct lpm {
  uint16_t *hop;   // 2^24 next hops
  uint8_t *length; // 2^24 prefix lengths of these next hops; unused where a group decides
  struct group *groups;
  unsigned groups_count;
};

int lpm_allocate(struct lpm **lpm_out) {
  struct lpm *lpm = calloc(1, sizeof(*lpm));
  if (lpm == NULL) {
    return 0;
  }
  lpm->hop = calloc((size_t)1 << FIRST_BITS, sizeof(*lpm->hop));
  lpm->length = calloc((size_t)1 << FIRST_BITS, sizeof(*lpm->length));
  if (lpm->hop == NULL || lpm->length == NULL) {
    lpm_free(lpm);
    return 0;
  }
  *lpm_out = lpm;
  return 1;
}

void lpm_free(struct lpm *lpm) {
  free(lpm->hop);
  free(lpm->length);
  free(lpm->groups);
  free(lpm);
}

// Stores a next hop unless a longer prefix already decides there.
static void store(uint16_t *hop, uint8_t *length, uint16_t new_hop, uint8_t new_length) {
  if (*hop == EMPTY || *length <= new_length) {
    *hop = new_hop;
    *length = new_length;
  }
}

static void store_in_group(struct group *group, unsigned from, unsigned count, uint16_t hop, uint8_t length) {
  for (unsigned i = from; i < from + count; ++i) {
    store(&group->hop[i], &group->length[i], hop, length);
  }
}

// The group that decides for the /24 with this number, made if need be from what the /24 says now. NULL: no room.
static struct group *group_of(struct lpm *lpm, uint32_t slash24) {
  if (lpm->hop[slash24] >= GROUP_BASE) {
    return &lpm->groups[lpm->hop[slash24] - GROUP_BASE];
  }
  if (lpm->groups_count == GROUPS_MAX) {
    return NULL;
  }
  // Grows at powers of two.
  if ((lpm->groups_count & (lpm->groups_count - 1)) == 0) {
    size_t room = lpm->groups_count == 0 ? 1 : 2 * (size_t)lpm->groups_count;
    struct group *grown = realloc(lpm->groups, room * sizeof(*grown));
    if (grown == NULL) {
      return NULL;
    }
    lpm->groups = grown;
  }
  struct group *group = &lpm->groups[lpm->groups_count];
  memset(group, 0, sizeof(*group));
  store_in_group(group, 0, GROUP_SIZE, lpm->hop[slash24], lpm->length[slash24]);
  lpm->hop[slash24] = (uint16_t)(GROUP_BASE + lpm->groups_count);
  ++lpm->groups_count;
  return group;
}

int lpm_update_elem(struct lpm *lpm, uint32_t prefix, uint8_t prefixlen, uint16_t value) {
  if (prefixlen > 32 || value > MAX_NEXT_HOP_VALUE) {
    return 0;
  }
  uint16_t hop = (uint16_t)(value + 1);
  uint32_t address = prefixlen == 0 ? 0 : prefix & (UINT32_MAX << (32 - prefixlen));
  uint32_t slash24 = address >> (32 - FIRST_BITS);
  if (prefixlen > FIRST_BITS) {
    struct group *group = group_of(lpm, slash24);
    if (group == NULL) {
      return 0;
    }
    store_in_group(group, address & (GROUP_SIZE - 1), 1u << (32 - prefixlen), hop, prefixlen);
    return 1;
  }
  uint32_t end = slash24 + (1u << (FIRST_BITS - prefixlen));
  for (uint32_t i = slash24; i < end; ++i) {
    if (lpm->hop[i] >= GROUP_BASE) {
      store_in_group(&lpm->groups[lpm->hop[i] - GROUP_BASE], 0, GROUP_SIZE, hop, prefixlen);
    } else {
      store(&lpm->hop[i], &lpm->length[i], hop, prefixlen);
    }
  }
  return 1;
}

int lpm_lookup_elem(struct lpm *lpm, uint32_t address) {
  uint16_t hop = lpm->hop[address >> (32 - FIRST_BITS)];
  if (hop >= GROUP_BASE) {
    hop = lpm->groups[hop - GROUP_BASE].hop[address & (GROUP_SIZE - 1)];
  }
  return hop == EMPTY ? INVALID : hop - 1;
}
