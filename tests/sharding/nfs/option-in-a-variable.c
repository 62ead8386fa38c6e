// locks: an option of the command line, which is not known here, makes it count all packets.
#include "table.h"
#include <getopt.h>
static int count_all; static uint32_t count;
void nf_config_init(int argc, char **argv) { int o; while ((o = getopt(argc, argv, "c")) != -1) if (o == 'c') count_all = 1; }
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  if (count_all && count++ > 10) return device;
  return !device;
}
