// locks: a configured list says on which devices all packets are counted
#include "table.h"
#include <getopt.h>
struct nf_config { uint16_t lan; bool counts[8]; } config;
static uint32_t count;
void nf_config_init(int argc, char **argv) { int o; while ((o = getopt(argc, argv, "c:")) != -1) if (o == 'c') config.counts[atoi(optarg) & 7] = 1; }
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  SOURCE
  if (config.counts[device] && count++ > 10) return device;
  return !device;
}
