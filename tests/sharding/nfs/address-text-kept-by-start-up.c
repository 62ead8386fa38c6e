// locks: start-up keeps a pointer to inet_ntoa's buffer, in which each packet finds the text that another one left
#include "table.h"
#include <arpa/inet.h>
static char *text;
bool nf_init(void) {
  struct in_addr none = {0};
  text = inet_ntoa(none);
  return tables();
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  char before = text[0];
  struct in_addr source = {ip->src_addr};
  inet_ntoa(source);
  return before == '1' ? device : 1 - device;
}
