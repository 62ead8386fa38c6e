// shared-nothing: the addresses come from a file, whatever they are, and packets only look them up
#include "table.h"
#include <arpa/inet.h>
#include <stdio.h>
static uint32_t addresses[16];
bool nf_init(void) {
  if (!tables()) return false;
  FILE *file = fopen("blocked", "r");
  if (file == NULL) return false;
  char line[64];
  for (int n = 0; n < 16 && fgets(line, sizeof line, file) != NULL; n++) {
    struct in_addr address;
    if (line[0] == '#' || inet_pton(AF_INET, line, &address) != 1) continue;
    addresses[n] = address.s_addr;
    map_put(map, &addresses[n], 1);
  }
  return true;
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  uint32_t source = ip->src_addr;
  int blocked;
  return map_get(map, &source, &blocked) ? device : 1 - device;
}
