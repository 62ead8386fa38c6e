// Reading a packet header by header, with libVig's calls. Chunks are borrowed from the front of the packet, one after
// another, and returned in the opposite order. Each core has one packet at a time.
#pragma once

#include "maestro/core.h"

#include <string.h>

static MAESTRO_PER_CORE uint32_t maestro_packet_length; // bytes of the packet
static MAESTRO_PER_CORE uint32_t maestro_packet_read;   // bytes of it that are borrowed

MAESTRO_API void maestro_packet_begin(uint32_t length) {
  maestro_packet_length = length;
  maestro_packet_read = 0;
}

MAESTRO_API void packet_state_total_length(void *p, uint32_t *length) {
  (void)p;
  maestro_packet_length = *length;
}

MAESTRO_API void packet_borrow_next_chunk(void *p, size_t length, void **chunk) {
  *chunk = (uint8_t *)p + maestro_packet_read;
  maestro_packet_read += (uint32_t)length;
}

MAESTRO_API void packet_return_chunk(void *p, void *chunk) {
  maestro_packet_read = (uint32_t)((uint8_t *)chunk - (uint8_t *)p);
}

MAESTRO_API uint32_t packet_get_unread_length(void *p) {
  (void)p;
  return maestro_packet_length - maestro_packet_read;
}

// Moves the borrowed headers, and what points to them, by `offset` bytes, to where the packet now starts. Moving them is
// cheaper than moving the payload behind them.
MAESTRO_API void maestro_move_headers(void **p, size_t length, ptrdiff_t offset, void **chunks, size_t num_chunks) {
  uint8_t *start = *p;
  memmove(start + offset, start, length);
  *p = start + offset;
  for (size_t i = 0; i < num_chunks; ++i) {
    chunks[i] = (uint8_t *)chunks[i] + offset;
  }
}

// Shortens the latest chunk to its first `length` bytes; the rest of it leaves the packet.
MAESTRO_API void packet_shrink_chunk(void **p, size_t length, void **chunks, size_t num_chunks, struct rte_mbuf *mbuf) {
  size_t kept = (size_t)((uint8_t *)chunks[num_chunks - 1] - (uint8_t *)*p) + length;
  size_t removed = maestro_packet_read - kept;
  maestro_move_headers(p, kept, (ptrdiff_t)removed, chunks, num_chunks);
  rte_pktmbuf_adj(mbuf, (uint16_t)removed);
  maestro_packet_read = (uint32_t)kept;
  maestro_packet_length -= (uint32_t)removed;
}

// Puts `length` new bytes, undefined, behind the latest chunk, as a further chunk.
MAESTRO_API void packet_insert_new_chunk(void **p, size_t length, void **chunks, size_t *num_chunks,
                                         struct rte_mbuf *mbuf) {
  if (rte_pktmbuf_prepend(mbuf, (uint16_t)length) == NULL) {
    rte_panic("No room for %zu bytes more in front of a packet: enlarge RTE_PKTMBUF_HEADROOM\n", length);
  }
  maestro_move_headers(p, maestro_packet_read, -(ptrdiff_t)length, chunks, *num_chunks);
  chunks[*num_chunks] = (uint8_t *)*p + maestro_packet_read;
  ++*num_chunks;
  maestro_packet_read += (uint32_t)length;
  maestro_packet_length += (uint32_t)length;
}
