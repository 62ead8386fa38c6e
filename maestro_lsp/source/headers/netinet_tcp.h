#pragma once
#include <sys/types.h>
struct tcphdr {
  union {
    struct {
      uint16_t th_sport, th_dport;
      uint32_t th_seq, th_ack;
      uint8_t th_x2 : 4, th_off : 4;
      uint8_t th_flags;
      uint16_t th_win, th_sum, th_urp;
    };
    struct {
      uint16_t source, dest;
      uint32_t seq, ack_seq;
      uint16_t res1 : 4, doff : 4, fin : 1, syn : 1, rst : 1, psh : 1, ack : 1, urg : 1, res2 : 2;
      uint16_t window, check, urg_ptr;
    };
  };
};
