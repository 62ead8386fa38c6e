// shared-nothing: text made of the device is known on each device
#include "table.h"

INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  char k[8] = "eth0"; char z[8]; k[3] += device; strcpy(z, k); PARSE EXPIRE if (z[3] == '0') { SOURCE } return 1 - device;
}
