// locks: how many characters a count of all packets takes, printed from a list of arguments
#include "table.h"
#include <stdarg.h>
#include <stdio.h>
static int packets;
static int put(char *to, size_t room, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int n = vsnprintf(to, room, format, list);
  va_end(list);
  return n;
}
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  char text[16];
  PARSE
  packets++;
  if (put(text, sizeof text, "%d", packets) > 3) return device;
  return 1 - device;
}
