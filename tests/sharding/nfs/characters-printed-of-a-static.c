// locks: how many characters an earlier packet's length has leaves
#include "table.h"
#include <stdio.h>
static int last;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  int n = printf("%d", last); last = len; ip->time_to_live = n;
  return 1 - device;
}
