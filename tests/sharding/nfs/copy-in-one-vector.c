// locks: a flow's cell is given what an earlier owner of another new index has left there
#include "table.h"

struct key {
  uint32_t source, tag;
};
static struct Map *flows;
static struct Vector *names;
static bool key_eq(void *a, void *b) {
  struct key *x = a, *y = b;
  return x->source == y->source && x->tag == y->tag;
}
static unsigned key_hash(void *k) { return ((struct key *)k)->source; }
static void key_clear(void *k) { memset(k, 0, sizeof(struct key)); }

bool nf_init(void) {
  return map_allocate(key_eq, key_hash, CAPACITY, &flows) && vector_allocate(sizeof(struct key), CAPACITY, key_clear, &names) &&
         vector_allocate(sizeof(struct cell), CAPACITY, cell_clear, &cells) && dchain_allocate(CAPACITY, &chain);
}

static bool enter(uint32_t source, uint32_t tag, int *index, vigor_time_t now) {
  struct key *key;
  vector_borrow(names, *index, (void **)&key);
  key->source = source;
  key->tag = tag;
  map_put(flows, key, *index);
  vector_return(names, *index, key);
  return true;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now) {
  PARSE
  expire_items_single_map(chain, names, flows, now - LAG);
  struct key mine = {ip->src_addr, 1};
  int index;
  struct cell *cell;
  if (map_get(flows, &mine, &index)) {
    dchain_rejuvenate_index(chain, index, now);
    vector_borrow(cells, index, (void **)&cell);
    ip->dst_addr = cell->count;
    cell->count = len;
    vector_return(cells, index, cell);
    return 1 - device;
  }
  int other;
  if (!dchain_allocate_new_index(chain, &index, now)) return device;
  if (!dchain_allocate_new_index(chain, &other, now)) {
    dchain_free_index(chain, index);
    return device;
  }
  enter(ip->src_addr, 1, &index, now);
  enter(ip->src_addr, 2, &other, now);
  struct cell *from;
  vector_borrow(cells, index, (void **)&cell);
  vector_borrow(cells, other, (void **)&from);
  cell->count = from->count;  // an earlier owner's
  from->count = 0;
  vector_return(cells, other, from);
  vector_return(cells, index, cell);
  return 1 - device;
}
