// Puts an 802.1Q tag into packets from device 0 and takes it out of packets from device 1: the entry with the
// mbuf, and packets whose length changes.
#include <stdbool.h>
#include <string.h>

#include <rte_mbuf.h>

#include "libvig/verified/packet-io.h"
#include "libvig/verified/vigor-time.h"

static const uint8_t TAG[4] = {0x81, 0x00, 0x00, 0x07};

bool nf_init(void) {
  return true;
}

int nf_process(uint16_t device, uint8_t **buffer, uint16_t length, vigor_time_t now, struct rte_mbuf *mbuf) {
  (void)now;
  void *chunks[2];
  size_t chunks_count = 1;
  if (length < 2 * RTE_ETHER_ADDR_LEN + sizeof(TAG)) {
    return device;
  }
  packet_borrow_next_chunk(*buffer, 2 * RTE_ETHER_ADDR_LEN, &chunks[0]);
  if (device == 0) {
    packet_insert_new_chunk((void **)buffer, sizeof(TAG), chunks, &chunks_count, mbuf);
    memcpy(chunks[1], TAG, sizeof(TAG));
    return 1;
  }
  packet_borrow_next_chunk(*buffer, sizeof(TAG), &chunks[1]);
  if (memcmp(chunks[1], TAG, sizeof(TAG)) != 0) {
    return device;
  }
  packet_shrink_chunk((void **)buffer, 0, chunks, 2, mbuf);
  return 0;
}
