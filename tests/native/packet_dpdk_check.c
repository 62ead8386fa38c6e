// Receives, sends, floods and frees packets through libVig on DPDK's null devices, and checks that no buffer is
// lost on the way. Linked with DPDK; run by test_libvig.py.
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "libvig/verified/packet-io.h"

#define DEVICES 3
#define BUFFERS 1023
#define ROUNDS 5000 // several times the buffers there are

#define CHECK(condition)                                                     \
  if (!(condition)) {                                                        \
    rte_exit(EXIT_FAILURE, "line %d: %s is false\n", __LINE__, #condition); \
  }

static unsigned in_use(struct rte_mempool *buffers) {
  return rte_mempool_in_use_count(buffers);
}

int main(int argc, char **argv) {
  CHECK(rte_eal_init(argc, argv) >= 0);
  CHECK(rte_eth_dev_count_avail() == DEVICES);
  struct rte_mempool *buffers = rte_pktmbuf_pool_create("buffers", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
  CHECK(buffers != NULL);
  for (uint16_t device = 0; device < DEVICES; ++device) {
    struct rte_eth_conf conf = {0};
    CHECK(rte_eth_dev_configure(device, 1, 1, &conf) == 0);
    CHECK(rte_eth_rx_queue_setup(device, 0, 64, 0, NULL, buffers) == 0);
    CHECK(rte_eth_tx_queue_setup(device, 0, 64, 0, NULL) == 0);
    CHECK(rte_eth_dev_start(device) == 0);
  }
  for (unsigned round = 0; round < ROUNDS; ++round) {
    void *packet;
    uint32_t length;
    CHECK(packet_receive((uint16_t)(round % DEVICES), &packet, &length));
    CHECK(length == 64);
    CHECK(packet_get_unread_length(packet) == 64);
    CHECK(in_use(buffers) == 1);
    void *chunk;
    packet_borrow_next_chunk(packet, 14, &chunk);
    CHECK(chunk == packet && packet_get_unread_length(packet) == 50);
    packet_return_chunk(packet, chunk);
    switch (round / DEVICES % 3) {
    case 0:
      packet_send(packet, 1);
      break;
    case 1:
      packet_broadcast(packet, (uint16_t)(round % DEVICES));
      break;
    default:
      packet_free(packet);
    }
    CHECK(in_use(buffers) == 0);
  }
  struct rte_eth_stats stats[DEVICES];
  for (uint16_t device = 0; device < DEVICES; ++device) {
    CHECK(rte_eth_stats_get(device, &stats[device]) == 0);
    printf("%u %u\n", (unsigned)stats[device].ipackets, (unsigned)stats[device].opackets);
  }
  return 0;
}
