// locks: a new flow's cell begins with what an earlier owner of the index has left in another vector
#include "table.h"

// An entry for each (source, tag); `cells` are read on hits, `marks` only ever written there. A new flow takes its first cell from
// its own other entry, or else (long packets) from the cell of `marks` that its new index has: that of whoever had the index before.
struct key {
  uint32_t source, tag;
};
static struct Map *flows;
static struct Vector *names, *marks;
static bool key_eq(void *a, void *b) {
  struct key *x = a, *y = b;
  return x->source == y->source && x->tag == y->tag;
}
static unsigned key_hash(void *k) { return ((struct key *)k)->source; }
static void key_clear(void *k) { memset(k, 0, sizeof(struct key)); }

bool nf_init(void) {
  return map_allocate(key_eq, key_hash, CAPACITY, &flows) && vector_allocate(sizeof(struct key), CAPACITY, key_clear, &names) &&
         vector_allocate(sizeof(struct cell), CAPACITY, cell_clear, &cells) &&
         vector_allocate(sizeof(struct cell), CAPACITY, cell_clear, &marks) && dchain_allocate(CAPACITY, &chain);
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  expire_items_single_map(chain, names, flows, now - LAG);
  struct key mine = {ip->src_addr, 1}, sister = {ip->src_addr, 2};
  int index, other = 0;
  struct cell *cell, *from;
  if (map_get(flows, &mine, &index)) {
    dchain_rejuvenate_index(chain, index, now);
    vector_borrow(cells, index, (void **)&cell);
    ip->dst_addr = cell->count;
    vector_return(cells, index, cell);
    vector_borrow(marks, index, (void **)&cell);
    cell->count = ip->dst_addr;
    vector_return(marks, index, cell);
    return 1 - device;
  }
  if (!map_get(flows, &sister, &other)) {
    if (!dchain_allocate_new_index(chain, &index, now)) return device;
    struct key *key;
    vector_borrow(names, index, (void **)&key);
    *key = sister;
    map_put(flows, key, index);
    vector_return(names, index, key);
    vector_borrow(cells, index, (void **)&cell);
    cell->count = len;
    vector_return(cells, index, cell);
    return 1 - device;
  }
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  if (index == other) {
    dchain_free_index(chain, index);
    return device;
  }
  struct key *key;
  vector_borrow(names, index, (void **)&key);
  *key = mine;
  map_put(flows, key, index);
  vector_return(names, index, key);
  vector_borrow(cells, index, (void **)&cell);
  if (len < 100)
    vector_borrow(cells, other, (void **)&from);
  else
    vector_borrow(marks, index, (void **)&from);
  cell->count = from->count;
  return 1 - device;
}
