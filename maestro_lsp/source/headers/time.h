#pragma once
#include <sys/types.h>
typedef long clock_t;
struct timespec {
  time_t tv_sec;
  long tv_nsec;
};
struct tm {
  int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
  long tm_gmtoff;
  const char *tm_zone;
};
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_MONOTONIC_RAW 4
#define CLOCKS_PER_SEC 1000000L
time_t time(time_t *now);
clock_t clock(void);
double difftime(time_t end, time_t start);
int clock_gettime(clockid_t clock, struct timespec *now);
int clock_getres(clockid_t clock, struct timespec *resolution);
int nanosleep(const struct timespec *request, struct timespec *remaining);
struct tm *localtime(const time_t *now);
struct tm *gmtime(const time_t *now);
struct tm *localtime_r(const time_t *now, struct tm *to);
struct tm *gmtime_r(const time_t *now, struct tm *to);
size_t strftime(char *to, size_t size, const char *format, const struct tm *when);
