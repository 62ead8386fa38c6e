// Borrowing without a note of what is borrowed: the main loop forgets all chunks at once when the next packet begins.
#pragma once

#include "maestro/packet.h"

MAESTRO_API void *nf_borrow_next_chunk(void *p, size_t length) {
  void *chunk;
  packet_borrow_next_chunk(p, length, &chunk);
  return chunk;
}

MAESTRO_API void nf_return_all_chunks(void *p) {
  (void)p;
  maestro_packet_read = 0;
}
