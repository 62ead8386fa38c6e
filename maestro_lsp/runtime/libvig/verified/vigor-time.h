// Time, in nanoseconds of the monotonic clock. NFs compare times and subtract lags from them; they never
// interpret the origin.
#ifndef LIBVIG_VIGOR_TIME_H
#define LIBVIG_VIGOR_TIME_H

#include <inttypes.h>
#include <stdint.h>

typedef int64_t vigor_time_t;
typedef int64_t time_ns_t; // the same type, as other projects name it

#define PRVIGT PRId64

// Unsigned on purpose: NFs multiply it by unsigned rates and sizes.
#define VIGOR_TIME_SECONDS_MULTIPLIER (1000000000ul)

// Reads the clock. Never decreases.
vigor_time_t current_time(void);

// What the latest current_time() of this thread returned; 0 before the first.
vigor_time_t recent_time(void);

#endif
