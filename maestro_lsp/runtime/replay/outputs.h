// What a program sent for one packet, as Python (synthesis/replay.py) reads it.
#pragma once

#include <stdint.h>

#define REPLAY_OUTPUTS_MAX 32
#define REPLAY_ROOM 2048   // bytes for a packet
#define REPLAY_HEADROOM 128 // bytes in front of it, DPDK's default

// Devices that start-up asks DPDK about.
#define REPLAY_DEVICE_FUNCTIONS(devices)                                       \
  uint16_t(rte_eth_dev_count_avail)(void) {                                    \
    return devices;                                                            \
  }                                                                            \
  int rte_eth_macaddr_get(uint16_t device, struct rte_ether_addr *address) {   \
    *address = (struct rte_ether_addr){{2, 0, 0, 0, 0, (uint8_t)device}};      \
    return 0;                                                                  \
  }

struct replay_output {
  uint32_t count;                       // packets sent: none, one, or a flood's copies
  uint32_t length;                      // of the packet, the same for all copies
  uint16_t devices[REPLAY_OUTPUTS_MAX]; // where to
  uint8_t bytes[REPLAY_ROOM];
};
