// locks: the table of options says where --count is stored, and its arguments are not known here.
#include "table.h"
#include <getopt.h>

static int counting;
static struct option options[] = {{"count", no_argument, &counting, 1}, {NULL, 0, NULL, 0}};

void nf_config_init(int argc, char **argv) {
  while (getopt_long(argc, argv, "", options, NULL) != -1) {
  }
}

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  static uint32_t count;
  return counting && ++count > 100 ? device : !device;
}
