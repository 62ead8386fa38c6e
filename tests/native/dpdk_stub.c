// The functions of DPDK that NFs call outside the main loop, for a process without an EAL. Devices are as many
// as the bench says, with MAC addresses that tell their number.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "harness.h"

RTE_DEFINE_PER_LCORE(unsigned int, _lcore_id) = 0;

uint16_t rte_eth_dev_count_avail(void) {
  return bench_devices;
}

uint16_t rte_eth_dev_count_total(void) {
  return bench_devices;
}

int rte_eth_dev_is_valid_port(uint16_t device) {
  return device < bench_devices;
}

int rte_eth_dev_socket_id(uint16_t device) {
  (void)device;
  return 0;
}

// 02:00:00:00:00:NN, a locally administered address.
int rte_eth_macaddr_get(uint16_t device, struct rte_ether_addr *address) {
  if (device >= bench_devices) {
    return -ENODEV;
  }
  *address = (struct rte_ether_addr){{0x02, 0, 0, 0, 0, (uint8_t)device}};
  return 0;
}

void rte_exit(int status, const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  text[strcspn(text, "\n")] = '\0';
  bench_escape("the NF called rte_exit(%d): %s", status, text);
}

unsigned rte_socket_id(void) {
  return 0;
}

unsigned rte_lcore_count(void) {
  return 1;
}

int rte_log(uint32_t level, uint32_t type, const char *format, ...) {
  (void)level;
  (void)type;
  (void)format;
  return 0;
}

const char *rte_strerror(int error) {
  return strerror(error);
}

uint64_t rte_get_tsc_hz(void) {
  return 1000000000;
}

void *rte_malloc(const char *type, size_t size, unsigned align) {
  (void)type;
  void *block = NULL;
  return posix_memalign(&block, align > sizeof(void *) ? align : 64, size) == 0 ? block : NULL;
}

void *rte_zmalloc(const char *type, size_t size, unsigned align) {
  void *block = rte_malloc(type, size, align);
  return block == NULL ? NULL : memset(block, 0, size);
}

void *rte_calloc(const char *type, size_t count, size_t size, unsigned align) {
  return rte_zmalloc(type, count * size, align);
}

void rte_free(void *block) {
  free(block);
}
