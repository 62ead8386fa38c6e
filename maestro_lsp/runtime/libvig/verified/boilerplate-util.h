// Small things that generated and hand-written NF code expects everywhere.
#ifndef LIBVIG_BOILERPLATE_UTIL_H
#define LIBVIG_BOILERPLATE_UTIL_H

#include <limits.h>
#include <stdint.h>
#include <string.h>

// Conjunction. A macro because symbolic executors redefine it to the non-short-circuiting `&`,
// which spares them a fork per operand.
#ifndef AND
#define AND &&
#endif

// Element initialiser for vectors of uint32_t.
static inline void null_init(void *obj) {
  memset(obj, 0, sizeof(uint32_t));
}

// Marks a device number that a symbolic executor has to enumerate. Nothing to do in a real run.
static inline void concretize_devices(uint16_t *device, uint16_t count) {
  (void)device;
  (void)count;
}

// States a fact that a verifier may use. Nothing to do in a real run.
static inline void vigor_note(int condition) {
  (void)condition;
}

#endif
