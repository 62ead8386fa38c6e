// locks: whether the index makes a number too large shows in errno
#include "table.h"
#include <errno.h>
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  char digits[32];
  PARSE
  EXPIRE SOURCE
  snprintf(digits, sizeof digits, "%d9999999999999999", index);
  errno = 0;
  long ignored = strtol(digits, NULL, 10);
  (void)ignored;
  return errno == ERANGE ? device : 1 - device;
}
