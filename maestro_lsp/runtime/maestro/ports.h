// Starts devices with queues for each core.
#pragma once

#include "maestro/options.h"

// Descriptors of a queue. Room for a burst that arrives while the core works on another one; more would only add latency
// and push packets out of the cache before they are read. Drivers round it to what they can.
#define MAESTRO_QUEUE_SIZE 512

// Packets that a core takes at once. Enough to amortise the doorbells of the NIC and the clock, and few enough that
// their headers stay in the first-level cache.
#define MAESTRO_BATCH 32

// Buffers kept by a core, to get and put without touching the pool.
#define MAESTRO_POOL_CACHE 256

struct maestro_port {
  uint16_t rx_queues;
  uint16_t tx_queues; // fewer than cores: cores share them
  rte_spinlock_t lock; // held to transmit on a shared queue
};

static struct maestro_port maestro_ports[MAESTRO_NF_DEVICES];

static void maestro_check_devices(void) {
  uint16_t found = rte_eth_dev_count_avail();
  if (found != MAESTRO_NF_DEVICES) {
    maestro_refuse("This program is made for %u devices, and there are %u: give the EAL as many (-a or --vdev), "
                   "or generate it again with --devices %u\n", (unsigned)MAESTRO_NF_DEVICES, found, found);
  }
}

// Packet buffers for the queues of `cores` cores on one NUMA node.
static struct rte_mempool *maestro_make_pool(unsigned node, unsigned cores) {
  char name[RTE_MEMPOOL_NAMESIZE];
  snprintf(name, sizeof(name), "packets-%u", node);
  // For each core: all its queues full, a burst in flight, its cache; and as much again on the way between cores.
  unsigned a_core = MAESTRO_NF_DEVICES * 2 * (MAESTRO_QUEUE_SIZE + MAESTRO_BATCH) + 2 * MAESTRO_POOL_CACHE;
  struct rte_mempool *pool = rte_pktmbuf_pool_create(name, 2 * cores * a_core, MAESTRO_POOL_CACHE, 0,
                                                     RTE_MBUF_DEFAULT_BUF_SIZE, (int)node);
  if (pool == NULL) {
    maestro_refuse("No memory for %u packet buffers on NUMA node %u (%s): give the EAL more (-m, hugepages)\n",
                   2 * cores * a_core, node, rte_strerror(rte_errno));
  }
  return pool;
}

// Starts a device with rx queue i filling buffers of pools[i]. `settings` may hold an RSS configuration.
static void maestro_start_port(uint16_t device, uint16_t rx_queues, struct rte_mempool *const *pools,
                               const struct rte_eth_conf *settings) {
  struct maestro_port *port = &maestro_ports[device];
  struct rte_eth_dev_info info;
  int error = rte_eth_dev_info_get(device, &info);
  if (error != 0) {
    maestro_refuse("Device %u does not say what it can: %s\n", device, rte_strerror(-error));
  }
  if (rx_queues > info.max_rx_queues) {
    maestro_refuse("Device %u (%s) has %u receive queues, and %u are needed: use fewer cores (-- --cores %u), or "
                   "-- --dispatch software\n", device, info.driver_name, info.max_rx_queues, rx_queues,
                   info.max_rx_queues);
  }
  port->rx_queues = rx_queues;
  port->tx_queues = (uint16_t)RTE_MIN(maestro_cores, (unsigned)info.max_tx_queues);
  rte_spinlock_init(&port->lock);

  uint16_t rx_size = MAESTRO_QUEUE_SIZE;
  uint16_t tx_size = MAESTRO_QUEUE_SIZE;
  int node = rte_eth_dev_socket_id(device);
  error = rte_eth_dev_configure(device, port->rx_queues, port->tx_queues, settings);
  if (error == 0) {
    error = rte_eth_dev_adjust_nb_rx_tx_desc(device, &rx_size, &tx_size);
  }
  for (uint16_t queue = 0; error == 0 && queue < port->rx_queues; ++queue) {
    error = rte_eth_rx_queue_setup(device, queue, rx_size, (unsigned)node, NULL, pools[queue]);
  }
  for (uint16_t queue = 0; error == 0 && queue < port->tx_queues; ++queue) {
    error = rte_eth_tx_queue_setup(device, queue, tx_size, (unsigned)node, NULL);
  }
  if (error == 0) {
    error = rte_eth_dev_start(device);
  }
  if (error != 0) {
    maestro_refuse("Device %u (%s) does not start: %s\n", device, info.driver_name, rte_strerror(-error));
  }
  rte_eth_promiscuous_enable(device); // devices that have no such mode receive everything anyway
}

static void maestro_stop_ports(void) {
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    rte_eth_dev_stop(device);
    rte_eth_dev_close(device);
  }
}
