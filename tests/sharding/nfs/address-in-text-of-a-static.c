// locks: the address of an earlier packet leaves as text
#include "table.h"
#include <arpa/inet.h>
static struct in_addr last;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  char *s = inet_ntoa(last); last.s_addr = ip->src_addr; ip->time_to_live = s[0];
  return 1 - device;
}
