// Packets in and out by DPDK, one at a time, for main loops that know a packet only by the address of its
// data. The mbuf of that packet is kept here, one for each thread.
#include "packet-io.h"

#include <stdlib.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

static _Thread_local struct rte_mbuf *current;

// The mbuf that packet_receive gave out for this address.
static struct rte_mbuf *take(const void *p) {
  struct rte_mbuf *mbuf = current;
  if (mbuf == NULL || rte_pktmbuf_mtod(mbuf, void *) != p) {
    abort(); // the caller sends a packet twice, or one it never received
  }
  current = NULL;
  return mbuf;
}

bool packet_receive(uint16_t src_device, void **p, uint32_t *len) {
  if (rte_eth_rx_burst(src_device, 0, &current, 1) == 0) {
    return false;
  }
  *p = rte_pktmbuf_mtod(current, void *);
  *len = current->pkt_len;
  packet_state_total_length(*p, len);
  packet_return_chunk(*p, *p);
  return true;
}

void packet_send(void *p, uint16_t dst_device) {
  struct rte_mbuf *mbuf = take(p);
  if (rte_eth_tx_burst(dst_device, 0, &mbuf, 1) == 0) {
    rte_pktmbuf_free(mbuf); // the queue is full: drop rather than wait
  }
}

void packet_broadcast(void *p, uint16_t src_device) {
  struct rte_mbuf *mbuf = take(p);
  uint16_t device;
  RTE_ETH_FOREACH_DEV(device) {
    if (device != src_device) {
      rte_pktmbuf_refcnt_update(mbuf, 1);
      if (rte_eth_tx_burst(device, 0, &mbuf, 1) == 0) {
        rte_pktmbuf_free(mbuf);
      }
    }
  }
  rte_pktmbuf_free(mbuf); // our own reference
}

void packet_free(void *p) {
  rte_pktmbuf_free(take(p));
}
