// unknown: a packet writes into a variable of the environment, where later packets find it.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  char *mode = getenv("MODE");
  if (!mode || mode[0] == 'x') return device;
  mode[0] = 'x';
  return !device;
}
