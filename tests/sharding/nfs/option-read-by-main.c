// locks: which of two keys counts is an option that main reads, before any packet, from arguments that nobody knows
#include "table.h"
#include <getopt.h>
static bool by_destination;
static void read_options(int argc, char **argv) {
  while (getopt(argc, argv, "d") == 'd') by_destination = true;
}
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  EXPIRE uint32_t key = by_destination ? ip->dst_addr : ip->src_addr;
  int index;
  if (map_get(map, &key, &index)) {
    dchain_rejuvenate_index(chain, index, now);
    return 1 - device;
  }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  uint32_t *kept;
  vector_borrow(keys, index, (void **)&kept);
  *kept = key;
  map_put(map, kept, index);
  vector_return(keys, index, kept);
  return 1 - device;
}
int main(int argc, char **argv) {
  read_options(argc, argv);
  return !nf_init();
}
