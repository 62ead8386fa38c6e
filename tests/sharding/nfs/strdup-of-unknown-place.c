// locks: copy of a text of the index at an unknown place
#include "table.h"
#include <stdio.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  char a[16];
  snprintf(a, 16, "%d", index);
  char *s = strdup(a + (ip->time_to_live & 1));
  ip->time_to_live = s[0];
  free(s);
  return !device;
}
