// The NF as its author wrote it, as a shared object that takes its packets from a caller. Linked with the NF's sources, its
// containers and packet I/O. -DREPLAY_DROPS(output, device), -DREPLAY_FLOODS(output), -DREPLAY_DEVICES say what a returned device means.
#include "compat/dpdk_names.h"

#include <getopt.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/outputs.h"

// an NF may do without
__attribute__((weak)) void nf_config_init(int argc, char **argv);
__attribute__((weak)) bool nf_init(void);
#ifdef REPLAY_TAKES_MBUF
int nf_process(uint16_t device, uint8_t **buffer, uint16_t length, int64_t now, struct rte_mbuf *mbuf);
#else
int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now);
#endif
void packet_state_total_length(void *p, uint32_t *length);
void packet_return_chunk(void *p, void *chunk);
extern __attribute__((weak)) size_t chunks_borrowed_num; // of nf-util.c, where the NF has it

REPLAY_DEVICE_FUNCTIONS(REPLAY_DEVICES)

static int64_t replay_now;

// The clock of an NF under test is its packet's time, in case it asks.
__attribute__((weak)) int64_t current_time(void) {
  return replay_now;
}

__attribute__((weak)) int64_t recent_time(void) {
  return replay_now;
}

int replay_start(unsigned cores, int argc, char **argv) {
  (void)cores;
  optind = 0;
  if (nf_config_init != NULL) {
    nf_config_init(argc, argv);
  }
  return nf_init == NULL || nf_init();
}

void replay_packet(unsigned core, uint16_t device, const uint8_t *bytes, uint32_t length, int64_t now,
                   struct replay_output *sent) {
  (void)core;
  static uint8_t room[REPLAY_HEADROOM + REPLAY_ROOM + REPLAY_HEADROOM] __attribute__((aligned(64)));
  static struct rte_mbuf packet;
  uint8_t *start = room + REPLAY_HEADROOM;
  memcpy(start, bytes, length);
  memset(start + length, 0, sizeof(room) - REPLAY_HEADROOM - length);
  packet = (struct rte_mbuf){
    .buf_addr = room,
    .buf_len = sizeof(room),
    .data_off = REPLAY_HEADROOM,
    .refcnt = 1,
    .nb_segs = 1,
    .port = device,
    .pkt_len = length,
    .data_len = (uint16_t)length,
  };
  replay_now = now;
  sent->count = 0;
  packet_return_chunk(start, start); // nothing is borrowed
  packet_state_total_length(start, &packet.pkt_len);
#ifdef REPLAY_TAKES_MBUF
  uint16_t output = (uint16_t)nf_process(device, &start, (uint16_t)length, now, &packet);
#else
  uint16_t output = (uint16_t)nf_process(device, start, (uint16_t)length, now);
#endif
  if (&chunks_borrowed_num != NULL) {
    chunks_borrowed_num = 0;
  }
  sent->length = packet.pkt_len;
  memcpy(sent->bytes, start, packet.pkt_len);
  if (REPLAY_DROPS(output, device)) {
    return;
  }
  for (uint16_t other = 0; other < REPLAY_DEVICES; ++other) {
    if (REPLAY_FLOODS(output) ? other != device : other == output) {
      sent->devices[sent->count++] = other;
    }
  }
}
