// shared-nothing: what start-up says of a missing file, and the list of arguments with which it says so, change nothing in the table
#include "table.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
static void say(const char *format, ...) {
  char text[64], stamp[16];
  time_t now = time(NULL);
  struct tm parts;
  localtime_r(&now, &parts);
  strftime(stamp, sizeof stamp, "%H:%M:%S", &parts);
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  fprintf(stderr, "%s %s\n", stamp, text);
}
bool nf_init(void) {
  FILE *file = fopen("nf.conf", "r");
  if (file == NULL) say("no %s", "nf.conf");
  return tables();
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE
  say("%u of %d", source, index);
  return 1 - device;
}
