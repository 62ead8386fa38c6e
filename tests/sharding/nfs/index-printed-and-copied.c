// locks: the first digit of the index leaves
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE char t[16]; snprintf(t, 16, "%d", index); char *s = strdup(t); ip->time_to_live = s[0]; free(s);
  return 1 - device;
}
