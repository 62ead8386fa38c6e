// Reading a packet header by header. Chunks are borrowed from the front of the packet, one after another,
// and returned in the opposite order. There is one packet at a time; its bookkeeping is global because the
// calls take only the packet's address, and it is per thread because a run-to-completion core has its own
// packet.
//
// A main loop states the length of each packet before it is processed and returns all chunks afterwards.
#ifndef LIBVIG_PACKET_IO_H
#define LIBVIG_PACKET_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

struct rte_mbuf;
struct rte_mempool;

// Says that the packet at p is *len bytes long. Borrowed chunks stay borrowed.
void packet_state_total_length(void *p, uint32_t *len);

// Sets *chunk to the next `length` unread bytes. The caller checks first that there are as many.
void packet_borrow_next_chunk(void *p, size_t length, void **chunk);

// Makes the chunk, the latest one borrowed, and what follows it unread again.
void packet_return_chunk(void *p, void *chunk);

// How many bytes follow the chunks that are borrowed now.
uint32_t packet_get_unread_length(void *p);

// The two calls below move the headers that were read so far instead of the payload behind them. So they
// change *p (the start of the packet) and the addresses of all chunks[0 .. num_chunks-1], in the order
// borrowed. mbuf is the packet's buffer, from which room at the front is taken or to which it is given back.

// Shortens the latest chunk to its first `length` bytes; the rest of it leaves the packet.
void packet_shrink_chunk(void **p, size_t length, void **chunks, size_t num_chunks, struct rte_mbuf *mbuf);

// Puts `length` new bytes, undefined, behind the latest chunk, as a further chunk: chunks[*num_chunks - 1]
// after the call. Without room in front of the packet it aborts.
void packet_insert_new_chunk(void **p, size_t length, void **chunks, size_t *num_chunks, struct rte_mbuf *mbuf);

// One packet in and out by DPDK, queue 0, for main loops that leave the mbuf to libVig. p is the packet's
// data; packets that were received and neither sent nor freed count as lost.
bool packet_receive(uint16_t src_device, void **p, uint32_t *len);
void packet_send(void *p, uint16_t dst_device);
void packet_broadcast(void *p, uint16_t src_device); // to every device but src_device
void packet_free(void *p);

#endif
