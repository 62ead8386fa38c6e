// The allocator of indices that cores share, with the calls of libVig's DoubleChain. Renewing an index's time stamp is no
// write: each core keeps stamps of its own, and an index is as young as its youngest stamp says.
//
// Allocated indices lie in a radix heap (Ahuja et al., 1990), by a time that they are known to be no older than. When an
// index comes to the front, that time is compared with the stamps; if one is younger, the index moves there. Times never
// decrease, so this takes constant time; a sorted list would be walked for every index that moves into its middle.
#pragma once

#include "maestro/core.h"

#include <stdlib.h>

enum {
  MAESTRO_FREE = -1, // `prev` of a free index
  MAESTRO_NONE = -1, // end of the stack of free indices
  MAESTRO_HEAPS = 65, // heap 0: times at the floor; heap b: times that differ from it in bit b - 1 and in no higher one
};

struct maestro_cell {
  int prev; // in the ring of its heap, in the order of arrival; or MAESTRO_FREE
  int next; // in the ring, or the free index below
  int64_t time; // the index is as young as this, or younger
};

struct maestro_dchain {
  int range;
  int free_top;
  int64_t oldest;   // no index is older; INT64_MAX if there is none. What readers look at
  int64_t floor;    // of the radix heap: no time in it is smaller
  uint64_t filled;  // bit b - 1 is set if heap b may hold any, b >= 1
  int64_t *stamps[MAESTRO_CORES_MAX]; // of each core, an array of `range`
  struct maestro_cell cells[];        // of indices, then the rings' anchors
};

MAESTRO_API int maestro_dchain_allocate(int index_range, struct maestro_dchain **chain_out) {
  if (index_range < 0) {
    return 0;
  }
  size_t range = (size_t)index_range;
  struct maestro_dchain *chain = calloc(1, sizeof(*chain) + (range + MAESTRO_HEAPS) * sizeof(chain->cells[0]));
  if (chain == NULL) {
    return 0;
  }
  chain->range = index_range;
  chain->oldest = INT64_MAX;
  chain->floor = INT64_MIN;
  chain->free_top = index_range > 0 ? 0 : MAESTRO_NONE;
  for (int i = 0; i < index_range; ++i) {
    chain->cells[i] = (struct maestro_cell){.prev = MAESTRO_FREE, .next = i + 1 < index_range ? i + 1 : MAESTRO_NONE};
  }
  for (int anchor = index_range; anchor < index_range + MAESTRO_HEAPS; ++anchor) {
    chain->cells[anchor] = (struct maestro_cell){.prev = anchor, .next = anchor};
  }
  for (unsigned core = 0; core < maestro_cores; ++core) {
    // Zeroed by the system, so that the first to touch a page, and to have it on its node, is the core. Ends kept apart.
    chain->stamps[core] = calloc(range + 32, sizeof(int64_t));
    if (chain->stamps[core] == NULL) {
      return 0; // the NF does not start
    }
    chain->stamps[core] += 16;
  }
  *chain_out = chain;
  return 1;
}

// Packets may carry any number as an index; the unsigned comparison rejects negative ones too.
MAESTRO_API int maestro_dchain_is_index_allocated(struct maestro_dchain *chain, int index) {
  return (unsigned)index < (unsigned)chain->range && chain->cells[index].prev != MAESTRO_FREE;
}

MAESTRO_API void maestro_dchain_unlink(struct maestro_dchain *chain, int index) {
  const struct maestro_cell *cell = &chain->cells[index];
  chain->cells[cell->prev].next = cell->next;
  chain->cells[cell->next].prev = cell->prev;
}

MAESTRO_API void maestro_dchain_link(struct maestro_dchain *chain, int index, int64_t time) {
  int heap = time <= chain->floor ? 0 : 64 - __builtin_clzll((uint64_t)time ^ (uint64_t)chain->floor);
  if (heap > 0) {
    chain->filled |= UINT64_C(1) << (heap - 1);
  }
  int anchor = chain->range + heap;
  int last = chain->cells[anchor].prev;
  chain->cells[index] = (struct maestro_cell){.prev = last, .next = anchor, .time = time};
  chain->cells[last].next = index;
  chain->cells[anchor].prev = index;
}

// The index with the smallest time, the first to arrive among equals; MAESTRO_NONE if there is none. If heap 0 is empty,
// the floor rises to the smallest time, and the indices that are nearest to it move to lower heaps.
MAESTRO_API int maestro_dchain_front(struct maestro_dchain *chain) {
  struct maestro_cell *cells = chain->cells;
  while (cells[chain->range].next == chain->range) {
    if (chain->filled == 0) {
      return MAESTRO_NONE;
    }
    int heap = 1 + __builtin_ctzll(chain->filled);
    int anchor = chain->range + heap;
    chain->filled &= chain->filled - 1;
    int first = cells[anchor].next;
    if (first == anchor) {
      continue;
    }
    chain->floor = INT64_MAX;
    for (int i = first; i != anchor; i = cells[i].next) {
      chain->floor = cells[i].time < chain->floor ? cells[i].time : chain->floor;
    }
    cells[anchor] = (struct maestro_cell){.prev = anchor, .next = anchor};
    for (int i = first, next; i != anchor; i = next) {
      next = cells[i].next;
      maestro_dchain_link(chain, i, cells[i].time);
    }
  }
  return cells[chain->range].next;
}

MAESTRO_API void maestro_dchain_release(struct maestro_dchain *chain, int index) {
  maestro_dchain_unlink(chain, index);
  chain->cells[index] = (struct maestro_cell){.prev = MAESTRO_FREE, .next = chain->free_top};
  chain->free_top = index;
}

MAESTRO_API int maestro_dchain_allocate_new_index(struct maestro_dchain *chain, int *index_out, int64_t time) {
  int index = chain->free_top;
  if (index == MAESTRO_NONE) {
    return 0;
  }
  maestro_write();
  chain->free_top = chain->cells[index].next;
  chain->oldest = time < chain->oldest ? time : chain->oldest;
  for (unsigned core = 0; core < maestro_cores; ++core) {
    chain->stamps[core][index] = time;
  }
  maestro_dchain_link(chain, index, time);
  *index_out = index;
  return 1;
}

MAESTRO_API int maestro_dchain_rejuvenate_index(struct maestro_dchain *chain, int index, int64_t time) {
  if (!maestro_dchain_is_index_allocated(chain, index)) {
    return 0;
  }
  maestro_refresh(&chain->stamps[maestro_self][index], time);
  return 1;
}

MAESTRO_API int maestro_dchain_free_index(struct maestro_dchain *chain, int index) {
  if (!maestro_dchain_is_index_allocated(chain, index)) {
    return 0;
  }
  maestro_write();
  maestro_dchain_release(chain, index);
  return 1;
}

MAESTRO_API int maestro_dchain_expire_one_index(struct maestro_dchain *chain, int *index_out, int64_t time) {
  if (chain->oldest >= time) {
    return 0;
  }
  maestro_write();
  for (int index; (index = maestro_dchain_front(chain)) != MAESTRO_NONE;) {
    int64_t known = chain->cells[index].time;
    if (known >= time) {
      chain->oldest = known;
      return 0;
    }
    int64_t youngest = known;
    for (unsigned core = 0; core < maestro_cores; ++core) {
      youngest = chain->stamps[core][index] > youngest ? chain->stamps[core][index] : youngest;
    }
    if (youngest == known) {
      maestro_dchain_release(chain, index);
      *index_out = index;
      return 1;
    }
    maestro_dchain_unlink(chain, index); // also if it is too old: older ones may be behind it
    maestro_dchain_link(chain, index, youngest);
  }
  chain->oldest = INT64_MAX;
  return 0;
}
