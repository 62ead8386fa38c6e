// locks: time() writes where it is told to, and the next packet reads that
#include "table.h"
#include <time.h>
static time_t last;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  bool first = last == 0;
  time(&last);
  return first ? device : 1 - device;
}
