// The part of an NF's main program that is not DPDK, callable from Python: configure and initialise the NF,
// then hand it packets one by one. Linked into the shared object of each NF (see bench.py).
//
// An NF that exits, aborts or fails an assertion would take the test process with it; the linker's --wrap
// sends those calls here, and the call that was under way returns an error instead.
#define _GNU_SOURCE
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "libvig/verified/packet-io.h"
#include "harness.h"

#define PACKET_MAX 9728 // bytes; a jumbo frame
#define HEADROOM RTE_PKTMBUF_HEADROOM
#define TAILROOM 256

bool nf_init(void);
#ifdef BENCH_ENTRY_MBUF
int nf_process(uint16_t device, uint8_t **buffer, uint16_t length, int64_t now, struct rte_mbuf *mbuf);
#else
int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now);
#endif
__attribute__((weak)) void nf_config_init(int argc, char **argv);

// How many chunks an NF's nf-util.c has noted as borrowed, where it does.
extern __attribute__((weak)) size_t chunks_borrowed_num;

uint16_t bench_devices;
char bench_message[512];                // why the latest call failed
uint8_t *bench_packet;                  // the latest packet as the NF left it
uint32_t bench_length;                  // and its length
static int64_t bench_now;
static uint8_t room[HEADROOM + PACKET_MAX + TAILROOM] __attribute__((aligned(64)));
static struct rte_mbuf mbuf;
static jmp_buf outside;

void bench_escape(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(bench_message, sizeof(bench_message), format, arguments);
  va_end(arguments);
  longjmp(outside, 1);
}

__attribute__((noreturn)) void __wrap_exit(int status) {
  bench_escape("the NF called exit(%d)", status);
}

__attribute__((noreturn)) void __wrap_abort(void) {
  bench_escape("the NF called abort()");
}

__attribute__((noreturn)) void __wrap___assert_fail(const char *assertion, const char *file, unsigned line,
                                                    const char *function) {
  bench_escape("%s:%u: %s: assertion `%s' failed", file, line, function, assertion);
}

// The clock of an NF under test is the `now` of its packet.
int64_t current_time(void) {
  return bench_now;
}

int64_t recent_time(void) {
  return bench_now;
}

// Runs nf_config_init on argv (argv[0] is the program; none if argc is 0), then nf_init.
// Returns 1, or 0 with bench_message set.
int bench_init(uint16_t devices, int argc, char **argv) {
  bench_devices = devices;
  if (setjmp(outside) != 0) {
    return 0;
  }
  if (argc > 0) {
    if (nf_config_init == NULL) {
      bench_escape("arguments given, but the NF has no nf_config_init");
    }
    optind = 0; // glibc: start afresh, whatever another NF in this process has parsed
    nf_config_init(argc, argv);
  }
  if (!nf_init()) {
    bench_escape("nf_init returned false");
  }
  return 1;
}

// Gives the NF one packet and does what the main loop does around it. Returns the device that the NF
// returned, as the 16 bits a main loop keeps of it, and sets bench_packet and bench_length; or returns -1 with
// bench_message set.
int bench_process(uint16_t device, const uint8_t *packet, uint32_t length, int64_t now) {
  uint8_t *start = room + HEADROOM;
  if (length > PACKET_MAX) {
    snprintf(bench_message, sizeof(bench_message), "packet of %u bytes: the bench takes %u", length, PACKET_MAX);
    return -1;
  }
  memcpy(start, packet, length);
  memset(start + length, 0, TAILROOM); // an NF that reads too far reads the same in every run
  mbuf = (struct rte_mbuf){
    .buf_addr = room,
    .buf_len = (uint16_t)sizeof(room),
    .data_off = HEADROOM,
    .refcnt = 1,
    .nb_segs = 1,
    .port = device,
    .pkt_len = length,
    .data_len = (uint16_t)length,
  };
  bench_now = now;
  if (setjmp(outside) != 0) {
    return -1;
  }
  packet_return_chunk(start, start);
  packet_state_total_length(start, &mbuf.pkt_len);
  if (double_packet_begin != NULL) {
    double_packet_begin();
  }
#ifdef BENCH_ENTRY_MBUF
  int out = nf_process(device, &start, (uint16_t)length, now, &mbuf);
#else
  int out = nf_process(device, start, (uint16_t)length, now);
#endif
  if (double_packet_end != NULL) {
    double_packet_end();
  }
  // What nf_return_all_chunks does, for any number of chunks.
  if (&chunks_borrowed_num != NULL) {
    chunks_borrowed_num = 0;
  }
  packet_return_chunk(start, start);
  bench_packet = start;
  bench_length = mbuf.pkt_len;
  return (uint16_t)out;
}
