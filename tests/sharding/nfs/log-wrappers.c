// shared-nothing: what is logged goes nowhere, though it passes through a list of arguments and a static line
#include "table.h"
#include <stdarg.h>
#include <stdio.h>
static char line[128];
static void say(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vprintf(format, list);
  va_end(list);
}
static void note(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  va_end(list);
  puts(line);
}
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE
  say("%u of %d", source, index);
  note("%u sent %u bytes", source, (unsigned)len);
  return 1 - device;
}
