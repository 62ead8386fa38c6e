// Packet I/O: how much of the current packet has been borrowed. Buffers are single segments.
#include "packet-io.h"

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

// Their names are part of the interface: some main loops and tests look at them.
_Thread_local size_t global_total_length;
_Thread_local size_t global_read_length;

void packet_state_total_length(void *p, uint32_t *len) {
  (void)p;
  global_total_length = *len;
}

void packet_borrow_next_chunk(void *p, size_t length, void **chunk) {
  *chunk = (char *)p + global_read_length;
  global_read_length += length;
}

void packet_return_chunk(void *p, void *chunk) {
  global_read_length = (size_t)((char *)chunk - (char *)p);
}

uint32_t packet_get_unread_length(void *p) {
  (void)p;
  return (uint32_t)(global_total_length - global_read_length);
}

// Moves the borrowed headers, and what points to them, by `offset` bytes after the packet's start has moved.
static void move_headers(void **p, size_t headers_length, ptrdiff_t offset, void **chunks, size_t num_chunks) {
  char *start = *p;
  memmove(start + offset, start, headers_length);
  *p = start + offset;
  for (size_t i = 0; i < num_chunks; ++i) {
    chunks[i] = (char *)chunks[i] + offset;
  }
}

void packet_shrink_chunk(void **p, size_t length, void **chunks, size_t num_chunks, struct rte_mbuf *mbuf) {
  size_t kept = (size_t)((char *)chunks[num_chunks - 1] - (char *)*p) + length;
  size_t removed = global_read_length - kept;
  move_headers(p, kept, (ptrdiff_t)removed, chunks, num_chunks);
  rte_pktmbuf_adj(mbuf, (uint16_t)removed);
  global_read_length = kept;
  global_total_length -= removed;
}

void packet_insert_new_chunk(void **p, size_t length, void **chunks, size_t *num_chunks, struct rte_mbuf *mbuf) {
  if (rte_pktmbuf_prepend(mbuf, (uint16_t)length) == NULL) {
    abort(); // the pool's headroom is too small for this NF, and there is no way to say so to it
  }
  move_headers(p, global_read_length, -(ptrdiff_t)length, chunks, *num_chunks);
  chunks[*num_chunks] = (char *)*p + global_read_length;
  ++*num_chunks;
  global_read_length += length;
  global_total_length += length;
}
