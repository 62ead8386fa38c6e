// Borrowing with a list of what is borrowed, for NFs that return single chunks, or insert and shrink them.
#pragma once

#include "maestro/packet.h"

#ifndef MAX_N_CHUNKS
#  define MAX_N_CHUNKS 100 // as in Vigor's nf-util.h; packets have a handful of headers
#endif

static MAESTRO_PER_CORE void *chunks_borrowed[MAX_N_CHUNKS]; // of the current packet, in the order borrowed
static MAESTRO_PER_CORE size_t chunks_borrowed_num;

MAESTRO_API void *nf_borrow_next_chunk(void *p, size_t length) {
  void *chunk;
  packet_borrow_next_chunk(p, length, &chunk);
  chunks_borrowed[chunks_borrowed_num++] = chunk;
  return chunk;
}

MAESTRO_API void nf_return_chunk(void *p) {
  packet_return_chunk(p, chunks_borrowed[--chunks_borrowed_num]);
}

MAESTRO_API void nf_return_all_chunks(void *p) {
  (void)p;
  chunks_borrowed_num = 0;
  maestro_packet_read = 0;
}
