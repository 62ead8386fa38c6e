#include "vigor-time.h"

#include <time.h>

static _Thread_local vigor_time_t last_time;

vigor_time_t current_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  last_time = (vigor_time_t)now.tv_sec * (vigor_time_t)VIGOR_TIME_SECONDS_MULTIPLIER + now.tv_nsec;
  return last_time;
}

vigor_time_t recent_time(void) {
  return last_time;
}
