// DoubleChain: one array of cells. Allocated cells form a ring in order of age, closed by the array's last
// cell; free cells form a stack through `next`. Every operation touches at most four cells.
#include "double-chain.h"

#include <stdlib.h>

#include "internal.h"

enum {
  FREE = -1, // `prev` of a free cell
  NONE = -1, // end of the stack of free cells
};

struct cell {
  int prev; // next older cell of the ring, or FREE
  int next; // next younger cell of the ring, or the free cell below
  vigor_time_t time;
};

struct DoubleChain {
  int range;
  int free_top;       // the index to give out next, or NONE
  struct cell cells[]; // range + 1 of them; the last is the ring's anchor, between youngest and oldest
};

// Packets may carry any number as an index; the unsigned comparison rejects negative ones too.
static inline int is_allocated(const struct DoubleChain *chain, int index) {
  return (unsigned)index < (unsigned)chain->range && chain->cells[index].prev != FREE;
}

// Takes an allocated cell out of the ring.
static inline void unlink_cell(struct DoubleChain *chain, int index) {
  const struct cell *cell = &chain->cells[index];
  chain->cells[cell->prev].next = cell->next;
  chain->cells[cell->next].prev = cell->prev;
}

// Puts a cell into the ring as the youngest.
static inline void link_youngest(struct DoubleChain *chain, int index, vigor_time_t time) {
  struct cell *anchor = &chain->cells[chain->range];
  chain->cells[index] = (struct cell){.prev = anchor->prev, .next = chain->range, .time = time};
  chain->cells[anchor->prev].next = index;
  anchor->prev = index;
}

static inline void release(struct DoubleChain *chain, int index) {
  unlink_cell(chain, index);
  chain->cells[index].prev = FREE;
  chain->cells[index].next = chain->free_top;
  chain->free_top = index;
}

int dchain_allocate(int index_range, struct DoubleChain **chain_out) {
  if (index_range < 0) {
    return 0;
  }
  struct DoubleChain *chain = malloc(sizeof(*chain) + ((size_t)index_range + 1) * sizeof(struct cell));
  if (chain == NULL) {
    return 0;
  }
  chain->range = index_range;
  chain->free_top = index_range > 0 ? 0 : NONE;
  for (int i = 0; i < index_range; ++i) {
    int below = i + 1 < index_range ? i + 1 : NONE;
    chain->cells[i] = (struct cell){.prev = FREE, .next = below};
  }
  chain->cells[index_range] = (struct cell){.prev = index_range, .next = index_range};
  *chain_out = chain;
  return 1;
}

void dchain_free(struct DoubleChain *chain) {
  free(chain);
}

int dchain_allocate_new_index(struct DoubleChain *chain, int *index_out, vigor_time_t time) {
  int index = chain->free_top;
  if (index == NONE) {
    return 0;
  }
  chain->free_top = chain->cells[index].next;
  link_youngest(chain, index, time);
  *index_out = index;
  return 1;
}

int dchain_rejuvenate_index(struct DoubleChain *chain, int index, vigor_time_t time) {
  if (!is_allocated(chain, index)) {
    return 0;
  }
  unlink_cell(chain, index);
  link_youngest(chain, index, time);
  return 1;
}

int dchain_expire_one_index(struct DoubleChain *chain, int *index_out, vigor_time_t time) {
  int oldest = chain->cells[chain->range].next;
  if (oldest == chain->range || chain->cells[oldest].time >= time) {
    return 0;
  }
  release(chain, oldest);
  *index_out = oldest;
  return 1;
}

int dchain_is_index_allocated(struct DoubleChain *chain, int index) {
  return is_allocated(chain, index);
}

int dchain_free_index(struct DoubleChain *chain, int index) {
  if (!is_allocated(chain, index)) {
    return 0;
  }
  release(chain, index);
  return 1;
}
