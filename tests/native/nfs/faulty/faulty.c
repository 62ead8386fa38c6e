// Fails in the way that the input device says.
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rte_ethdev.h>

#include "libvig/verified/vigor-time.h"

bool nf_init(void) {
  return rte_eth_dev_count_avail() > 1;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, vigor_time_t now) {
  (void)buffer;
  (void)now;
  switch (device) {
  case 1:
    exit(3);
  case 2:
    abort();
  case 3:
    rte_exit(EXIT_FAILURE, "no route for %u bytes\n", length);
  default:
    assert(device == 0);
    return 0;
  }
}
