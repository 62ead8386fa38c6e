// One state for all cores. Packets that only read it are processed in parallel, those that write it one at a time.
//
// A core takes each packet for a reader until it comes to its first write: then it leaves the NF, without a trace in the
// packet or the state, and begins again as a writer. Locks as in the thesis's algorithms 3.2 and 3.3, with one difference:
// a reader that finds writers waiting queues up among them. As printed, a reader that has waited could go on together
// with the next writer, and could wait for ever while others write.
#pragma once

#include "maestro/core.h"

// A core shows here that it reads. Only that core writes it.
struct maestro_reader {
  MAESTRO_APART atomic_bool reads;
};

static struct maestro_reader maestro_readers[MAESTRO_CORES_MAX];
static MAESTRO_APART atomic_uint maestro_writers; // that write or wait to
static MAESTRO_APART struct {              // a ticket lock: first come, first served
  atomic_uint taken;
  atomic_uint served;
} maestro_turn;

MAESTRO_API void maestro_turn_lock(void) {
  unsigned ticket = atomic_fetch_add_explicit(&maestro_turn.taken, 1, memory_order_relaxed);
  for (unsigned times = 0; atomic_load_explicit(&maestro_turn.served, memory_order_acquire) != ticket;) {
    maestro_wait(&times);
  }
}

MAESTRO_API void maestro_turn_unlock(void) {
  unsigned ticket = atomic_load_explicit(&maestro_turn.served, memory_order_relaxed);
  atomic_store_explicit(&maestro_turn.served, ticket + 1, memory_order_release);
}

// The store must be seen before the load is done, here and in maestro_write_lock: of a reader and a writer that meet, at
// least one sees the other. So all of these are sequentially consistent.
MAESTRO_API void maestro_read_lock(void) {
  struct maestro_reader *own = &maestro_readers[maestro_self];
  atomic_store(&own->reads, true);
  if (atomic_load(&maestro_writers) == 0) {
    return;
  }
  atomic_store_explicit(&own->reads, false, memory_order_release);
  maestro_turn_lock(); // now nobody writes, and who gets the lock next will wait for us
  atomic_store(&own->reads, true);
  maestro_turn_unlock();
}

MAESTRO_API void maestro_read_unlock(void) {
  atomic_store_explicit(&maestro_readers[maestro_self].reads, false, memory_order_release);
}

MAESTRO_API void maestro_write_lock(void) {
  atomic_fetch_add(&maestro_writers, 1);
  maestro_turn_lock();
  for (unsigned i = 0; i < maestro_cores; ++i) {
    for (unsigned times = 0; atomic_load(&maestro_readers[i].reads);) {
      maestro_wait(&times);
    }
  }
}

MAESTRO_API void maestro_write_unlock(void) {
  maestro_turn_unlock();
  atomic_fetch_sub(&maestro_writers, 1);
}

// ---- The pass of a packet through the NF

// How to leave the NF from any depth. The compiler's own jumps save three words; sanitizers know only libc's.
#if defined(__has_feature)
#  if __has_feature(thread_sanitizer)
#    define MAESTRO_LIBC_JUMPS
#  endif
#elif defined(__SANITIZE_THREAD__)
#  define MAESTRO_LIBC_JUMPS
#endif
#ifdef MAESTRO_LIBC_JUMPS
#  include <setjmp.h>
#  define MAESTRO_MARK(place) _setjmp(place)
#  define MAESTRO_JUMP(place) longjmp(place, 1)
typedef jmp_buf maestro_place;
#else
#  define MAESTRO_MARK(place) __builtin_setjmp(place)
#  define MAESTRO_JUMP(place) __builtin_longjmp(place, 1)
typedef void *maestro_place[5];
#endif

#define MAESTRO_REFRESHED_MAX 8 // time stamps that one reader may renew; with more it becomes a writer

static MAESTRO_PER_CORE struct {
  bool optimistic;    // taken for a reader
  unsigned refreshed; // stamps to be renewed when the packet has turned out to be a reader
  struct {
    int64_t *stamp; // of this core alone
    int64_t time;
  } stamps[MAESTRO_REFRESHED_MAX];
  maestro_place start; // of the pass
} maestro_pass;

__attribute__((noinline, noreturn, cold, unused)) static void maestro_leave_pass(void) {
  MAESTRO_JUMP(maestro_pass.start);
}

// To be called before the first write of state on a path. Does not return to a reader.
MAESTRO_API void maestro_write(void) {
  if (__builtin_expect(maestro_pass.optimistic, 0)) {
    maestro_leave_pass();
  }
}

// Renews a time stamp of this core's own: at once, or when the packet has turned out to be a reader.
MAESTRO_API void maestro_refresh(int64_t *stamp, int64_t time) {
  if (!maestro_pass.optimistic) {
    *stamp = time;
    return;
  }
  if (maestro_pass.refreshed == MAESTRO_REFRESHED_MAX) {
    maestro_leave_pass();
  }
  maestro_pass.stamps[maestro_pass.refreshed].stamp = stamp;
  maestro_pass.stamps[maestro_pass.refreshed++].time = time;
}
