// What the TCP and the UDP header have in common: the ports, in network byte order.
#ifndef LIBVIG_TCPUDP_HDR_H
#define LIBVIG_TCPUDP_HDR_H

#include <stdint.h>

struct tcpudp_hdr {
  uint16_t src_port;
  uint16_t dst_port;
} __attribute__((__packed__));

#endif
