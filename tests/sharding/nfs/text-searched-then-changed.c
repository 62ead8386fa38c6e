// unknown: the first packet finds the letter and takes it away, later ones do not
#include "table.h"
static char name[8] = "ab";
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  char *s = strchr(name, 'b'); name[1] = 'c'; if (s) return device;
  return 1 - device;
}
