// locks: a text chosen by the index leaves
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE SOURCE ip->time_to_live = strerror(index)[0];
  return 1 - device;
}
