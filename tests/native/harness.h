// What the parts of the bench share: harness.c, dpdk_stub.c and, in traced builds, double.c.
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdint.h>

extern uint16_t bench_devices; // how many devices the NF sees

// Leaves the NF for good, back to the bench, with a message for the caller.
__attribute__((noreturn, format(printf, 1, 2))) void bench_escape(const char *format, ...);

// Around each packet, if the build has a tracing double (weak: NULL in `real` builds).
__attribute__((weak)) void double_packet_begin(void);
__attribute__((weak)) void double_packet_end(void);

#endif
