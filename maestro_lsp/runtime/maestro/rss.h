// An RSS configuration as data, and the hash that a NIC would compute with it.
#pragma once

#include "maestro/core.h"

#include <string.h>

// Classes of packets that NICs hash differently.
enum maestro_class {
  MAESTRO_IPV4_TCP,
  MAESTRO_IPV4_UDP,
  MAESTRO_IPV4_SCTP,
  MAESTRO_IPV4_OTHER,
  MAESTRO_IPV4_FRAG, // any fragment, the first included
  MAESTRO_IPV6_TCP,
  MAESTRO_IPV6_UDP,
  MAESTRO_IPV6_SCTP,
  MAESTRO_IPV6_OTHER,
  MAESTRO_IPV6_FRAG,
  MAESTRO_L2_PAYLOAD, // not IP
  MAESTRO_MALFORMED,  // headers cut off or wrong: no NIC hashes it
};

enum maestro_header {
  MAESTRO_L2,
  MAESTRO_L3,
  MAESTRO_L4,
};

// Consecutive bits of a packet, the most significant bit of a byte first.
struct maestro_bits {
  uint8_t header;  // enum maestro_header, from whose start bits count
  uint16_t first;
  uint16_t number; // at most 128
};

#define MAESTRO_BITS(header, first, number) {header, first, number}
#define MAESTRO_ETH_DST MAESTRO_BITS(MAESTRO_L2, 0, 48)
#define MAESTRO_ETH_SRC MAESTRO_BITS(MAESTRO_L2, 48, 48)
#define MAESTRO_ETH_TYPE MAESTRO_BITS(MAESTRO_L2, 96, 16)
#define MAESTRO_IPV4_SRC MAESTRO_BITS(MAESTRO_L3, 96, 32)
#define MAESTRO_IPV4_DST MAESTRO_BITS(MAESTRO_L3, 128, 32)
#define MAESTRO_IPV6_SRC MAESTRO_BITS(MAESTRO_L3, 64, 128)
#define MAESTRO_IPV6_DST MAESTRO_BITS(MAESTRO_L3, 192, 128)
#define MAESTRO_L4_SRC MAESTRO_BITS(MAESTRO_L4, 0, 16)
#define MAESTRO_L4_DST MAESTRO_BITS(MAESTRO_L4, 16, 16)
#define MAESTRO_SCTP_TAG MAESTRO_BITS(MAESTRO_L4, 32, 32)

// What NICs usually hash of IP packets, as rows of hash inputs and as options.
#define MAESTRO_INPUTS_IP(v)                                                                                 \
  {v##_TCP, 4, {v##_SRC, v##_DST, MAESTRO_L4_SRC, MAESTRO_L4_DST}},                                          \
  {v##_UDP, 4, {v##_SRC, v##_DST, MAESTRO_L4_SRC, MAESTRO_L4_DST}},                                          \
  {v##_SCTP, 5, {v##_SRC, v##_DST, MAESTRO_L4_SRC, MAESTRO_L4_DST, MAESTRO_SCTP_TAG}},                       \
  {v##_OTHER, 2, {v##_SRC, v##_DST}},                                                                        \
  {v##_FRAG, 2, {v##_SRC, v##_DST}}
#define MAESTRO_INPUTS_IPV4 MAESTRO_INPUTS_IP(MAESTRO_IPV4)
#define MAESTRO_INPUTS_IPV6 MAESTRO_INPUTS_IP(MAESTRO_IPV6)
#define MAESTRO_TYPES_IPV4                                                                                   \
  (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_SCTP |             \
   RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_FRAG_IPV4)
#define MAESTRO_TYPES_IPV6                                                                                   \
  (RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_SCTP |             \
   RTE_ETH_RSS_NONFRAG_IPV6_OTHER | RTE_ETH_RSS_FRAG_IPV6)

#define MAESTRO_PARTS_MAX 16       // of one hash input
#define MAESTRO_INPUT_WORDS 20     // longest hash input, 32-bit words
#define MAESTRO_TABLE_MAX 4096     // entries of the largest indirection table
#define MAESTRO_PATTERN_MAX 5      // items of a flow rule

// What is hashed of a class of packets: parts, one after another. A class without an entry hashes to 0.
struct maestro_hash_input {
  enum maestro_class class;
  unsigned count;
  struct maestro_bits parts[MAESTRO_PARTS_MAX];
};

// An rte_flow rule that chooses a partial hash input for the packets of a pattern.
struct maestro_rss_rule {
  enum rte_flow_item_type pattern[MAESTRO_PATTERN_MAX];
  unsigned items;
  uint64_t types; // RTE_ETH_RSS_*
};

// RSS of one device.
struct maestro_rss {
  const uint8_t *key;
  uint8_t key_length;    // bytes
  uint64_t types;        // RTE_ETH_RSS_*: the options
  uint16_t table_size;   // entries of the indirection table that the key was made for, a power of two
  const struct maestro_rss_rule *rules;
  unsigned rule_count;
  const struct maestro_hash_input *inputs; // what the options hash, for software
  unsigned input_count;
  const uint16_t *table; // core of each entry, balanced for table_cores cores; or NULL: dealt out in turn
  uint16_t table_cores;
  uint16_t tied;         // devices with the same number have tables of the same contents
};

// Where a packet's headers start, in bytes. l3 and l4 are 0 where there is none.
struct maestro_headers {
  enum maestro_class class;
  uint32_t l3;
  uint32_t l4;
};

static inline uint16_t maestro_be16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}

// The class of a packet with this protocol at `l4`. `tcp` is the class of TCP; UDP, SCTP and others follow it.
static inline struct maestro_headers maestro_layer4(enum maestro_class tcp, uint8_t protocol, uint32_t l3, uint32_t l4,
                                                    uint32_t length) {
  unsigned kind = protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : protocol == IPPROTO_SCTP ? 2 : 3;
  static const uint32_t needed[] = {4, 4, 8, 0}; // bytes of the header that are hashed
  if (needed[kind] > 0 && length < l4 + needed[kind]) {
    return (struct maestro_headers){.class = MAESTRO_MALFORMED};
  }
  return (struct maestro_headers){.class = (enum maestro_class)(tcp + kind), .l3 = l3, .l4 = l4};
}

static inline struct maestro_headers maestro_ipv6_headers(const uint8_t *packet, uint32_t length, uint32_t l3) {
  struct maestro_headers malformed = {.class = MAESTRO_MALFORMED};
  if (length < l3 + 40 || packet[l3] >> 4 != 6) {
    return malformed;
  }
  uint8_t protocol = packet[l3 + 6];
  uint32_t l4 = l3 + 40;
  while (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||
         protocol == IPPROTO_MH) {
    if (length < l4 + 8) {
      return malformed;
    }
    protocol = packet[l4];
    l4 += 8u * (packet[l4 + 1] + 1u);
  }
  if (protocol == IPPROTO_FRAGMENT) {
    return (struct maestro_headers){.class = MAESTRO_IPV6_FRAG, .l3 = l3};
  }
  return maestro_layer4(MAESTRO_IPV6_TCP, protocol, l3, l4, length);
}

// Finds the headers that are hashed, behind up to two VLAN tags.
static inline struct maestro_headers maestro_find_headers(const uint8_t *packet, uint32_t length) {
  struct maestro_headers malformed = {.class = MAESTRO_MALFORMED};
  if (length < 14) {
    return malformed;
  }
  uint16_t type = maestro_be16(packet + 12);
  uint32_t l3 = 14;
  for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8 || type == 0x9100) && length >= l3 + 4; ++tags) {
    type = maestro_be16(packet + l3 + 2);
    l3 += 4;
  }
  if (type == RTE_ETHER_TYPE_IPV6) {
    return maestro_ipv6_headers(packet, length, l3);
  }
  if (type != RTE_ETHER_TYPE_IPV4) {
    return (struct maestro_headers){.class = MAESTRO_L2_PAYLOAD};
  }
  if (length < l3 + 20 || packet[l3] >> 4 != 4 || (packet[l3] & 0x0f) < 5) {
    return malformed;
  }
  if ((maestro_be16(packet + l3 + 6) & 0x3fff) != 0) { // more fragments, or an offset
    return (struct maestro_headers){.class = MAESTRO_IPV4_FRAG, .l3 = l3};
  }
  return maestro_layer4(MAESTRO_IPV4_TCP, packet[l3 + 9], l3, l3 + 4u * (packet[l3] & 0x0f), length);
}

// Bits [first, first + number), number <= 32, as an integer. Touches only the bytes that hold them.
static inline uint32_t maestro_read_bits(const uint8_t *bytes, unsigned first, unsigned number) {
  uint64_t window = 0;
  unsigned end = first + number;
  for (unsigned i = first / 8; i < (end + 7) / 8; ++i) {
    window = window << 8 | bytes[i];
  }
  return (uint32_t)(window >> ((8 - end % 8) % 8)) & (uint32_t)((UINT64_C(1) << number) - 1);
}

// A key as rte_softrss_be wants it, with a word more than the longest input.
struct maestro_soft_key {
  uint32_t words[MAESTRO_INPUT_WORDS + 1];
};

static inline void maestro_make_soft_key(const struct maestro_rss *rss, struct maestro_soft_key *key) {
  uint32_t padded[MAESTRO_INPUT_WORDS + 1] = {0};
  memcpy(padded, rss->key, RTE_MIN((size_t)rss->key_length, sizeof(padded)));
  rte_convert_rss_key(padded, key->words, sizeof(padded));
}

// The Toeplitz hash of a packet; 0 where the configuration hashes nothing.
static inline uint32_t maestro_hash(const struct maestro_rss *rss, const struct maestro_soft_key *key,
                                    const uint8_t *packet, uint32_t length) {
  struct maestro_headers headers = maestro_find_headers(packet, length);
  const struct maestro_hash_input *input = rss->inputs;
  const struct maestro_hash_input *end = input + rss->input_count;
  while (input < end && input->class != headers.class) {
    ++input;
  }
  if (input == end) {
    return 0;
  }
  uint32_t words[MAESTRO_INPUT_WORDS + 1] = {0};
  unsigned filled = 0; // bits
  const uint32_t starts[] = {[MAESTRO_L2] = 0, [MAESTRO_L3] = headers.l3, [MAESTRO_L4] = headers.l4};
  for (unsigned i = 0; i < input->count; ++i) {
    const struct maestro_bits *part = &input->parts[i];
    const uint8_t *header = packet + starts[part->header];
    if (starts[part->header] + (part->first + part->number + 7u) / 8 > length) {
      return 0;
    }
    for (unsigned done = 0; done < part->number;) {
      unsigned number = RTE_MIN(part->number - done, 32 - filled % 32);
      uint32_t bits = maestro_read_bits(header, part->first + done, number);
      words[filled / 32] |= bits << (32 - filled % 32 - number);
      filled += number;
      done += number;
    }
  }
  return rte_softrss_be(words, (filled + 31) / 32, (const uint8_t *)key->words);
}
