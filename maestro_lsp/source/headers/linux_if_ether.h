#pragma once
#include <net/ethernet.h>
struct ethhdr {
  unsigned char h_dest[6];
  unsigned char h_source[6];
  uint16_t h_proto;
} __attribute__((packed));
