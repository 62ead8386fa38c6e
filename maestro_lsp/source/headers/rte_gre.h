#pragma once
#include <rte_byteorder.h>
struct rte_gre_hdr {
  uint16_t res2 : 4;
  uint16_t s : 1;
  uint16_t k : 1;
  uint16_t res1 : 1;
  uint16_t c : 1;
  uint16_t ver : 3;
  uint16_t res3 : 5;
  uint16_t proto;
} __attribute__((__packed__));
