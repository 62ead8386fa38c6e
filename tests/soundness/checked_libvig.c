// Runs NFs, one packet at a time, on a libVig that sees when it is used as it must not be. The linker puts these functions
// between an NF and libVig (--wrap), also where libVig calls itself.
//
// A run can be told how its allocations end: the cores of a parallel program share the capacity of one, and which core is full
// when is not part of what an NF promises. So all runs are full when the first one is.
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "libvig/verified/double-chain.h"
#include "libvig/verified/map.h"
#include "libvig/verified/packet-io.h"
#include "libvig/verified/vector.h"

#define ALLOCATIONS 64 // of one packet; NFs of a few lines make a few

int __real_dchain_allocate_new_index(struct DoubleChain *chain, int *index_out, vigor_time_t time);
void __real_map_put(struct Map *map, void *key, int value);
void __real_map_erase(struct Map *map, void *key, void **trash);
void __real_vector_borrow(struct Vector *vector, int index, void **val_out);
int __real_vector_allocate(int elem_size, unsigned capacity, vector_init_elem *init_elem, struct Vector **vector_out);
int __real_map_allocate(map_keys_equality *keq, map_key_hash *khash, unsigned capacity, struct Map **map_out);

uint8_t packet[2048];
const char *misuse;            // what the latest packet did that libVig does not define; NULL: nothing
uint8_t outcomes[ALLOCATIONS]; // how the packet's allocations ended
unsigned outcomes_count;
uint8_t told[ALLOCATIONS]; // how they shall end: 0 as if the chain were full
unsigned told_count;
uint32_t luck; // unless 0: a random number; now and then an allocation fails, as if the chain were full

static jmp_buf outside;

static void misused(const char *how) {
  misuse = how;
  longjmp(outside, 1);
}

int __wrap_dchain_allocate_new_index(struct DoubleChain *chain, int *index_out, vigor_time_t time) {
  if (outcomes_count == ALLOCATIONS) {
    misused("too many allocations");
  }
  luck ^= luck << 13, luck ^= luck >> 17, luck ^= luck << 5;
  bool fails = outcomes_count < told_count ? !told[outcomes_count] : luck % 64 == 1;
  int ok = fails ? 0 : __real_dchain_allocate_new_index(chain, index_out, time);
  outcomes[outcomes_count++] = (uint8_t)ok;
  return ok;
}

#define CAPACITIES 4096
static struct Map *maps[CAPACITIES];
static unsigned capacities[CAPACITIES];
static unsigned maps_count;

int __wrap_map_allocate(map_keys_equality *keq, map_key_hash *khash, unsigned capacity, struct Map **map_out) {
  int ok = __real_map_allocate(keq, khash, capacity, map_out);
  maps[maps_count % CAPACITIES] = *map_out;
  capacities[maps_count++ % CAPACITIES] = capacity;
  return ok;
}

static unsigned capacity_of(const struct Map *map) {
  for (unsigned i = maps_count; i > 0; --i) { // the latest NF's are last
    if (maps[(i - 1) % CAPACITIES] == map) {
      return capacities[(i - 1) % CAPACITIES];
    }
  }
  return 0;
}

void __wrap_map_put(struct Map *map, void *key, int value) {
  int old;
  if (map_get(map, key, &old)) {
    misused("map_put of a key that is there");
  }
  if (map_size(map) >= capacity_of(map)) {
    misused("map_put into a full map");
  }
  __real_map_put(map, key, value);
}

void __wrap_map_erase(struct Map *map, void *key, void **trash) {
  int old;
  if (!map_get(map, key, &old)) {
    misused("map_erase of a key that is not there");
  }
  __real_map_erase(map, key, trash);
}

// What failed assertions of libVig's own come to: an index outside a vector.
__attribute__((noreturn)) void __wrap___assert_fail(const char *assertion, const char *file, unsigned line,
                                                    const char *function) {
  (void)file, (void)line, (void)function;
  misuse = assertion;
  longjmp(outside, 1);
}

// What nf_process returns for the packet in `packet`, which it may change; -1 if `misuse` says why not.
int run(int (*nf_process)(uint16_t, uint8_t *, uint16_t, vigor_time_t), uint16_t device, uint32_t length, vigor_time_t now) {
  misuse = NULL;
  outcomes_count = 0;
  packet_return_chunk(packet, packet);
  packet_state_total_length(packet, &length);
  if (setjmp(outside) != 0) {
    return -1;
  }
  return (uint16_t)nf_process(device, packet, (uint16_t)length, now);
}
