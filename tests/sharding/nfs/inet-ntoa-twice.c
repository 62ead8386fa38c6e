// locks: inet_ntoa's buffer is shared by calls
#include "table.h"
#include <stdio.h>
#include <arpa/inet.h>
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  struct in_addr a = {ip->src_addr}, b = {index};
  char *t = inet_ntoa(a);
  inet_ntoa(b);
  ip->time_to_live = t[0];
  return !device;
}
