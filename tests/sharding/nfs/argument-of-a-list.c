// locks: a function takes a count of all packets from its list of arguments and returns it
#include "table.h"
#include <stdarg.h>
static int packets;
static int third(int first, ...) {
  va_list list, same;
  va_start(list, first);
  (void)va_arg(list, long);
  va_copy(same, list);
  int x = va_arg(same, int);
  va_end(same);
  va_end(list);
  return x;
}
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  packets++;
  if (third(device, (long)len, packets, now) > 100) return device;
  return 1 - device;
}
