#pragma once
#include <errno.h>
#include <limits.h>
#include <rte_config.h>
#include <stdint.h>
#define RTE_STD_C11
#define __rte_packed __attribute__((__packed__))
#define __rte_packed_begin
#define __rte_packed_end __attribute__((__packed__))
#define __rte_aligned(a) __attribute__((__aligned__(a)))
#define __rte_cache_aligned __rte_aligned(RTE_CACHE_LINE_SIZE)
#define __rte_cache_min_aligned __rte_aligned(RTE_CACHE_LINE_MIN_SIZE)
#define __rte_unused __attribute__((__unused__))
#define __rte_noinline __attribute__((__noinline__))
#define __rte_always_inline inline
#define __rte_noreturn
#define __rte_deprecated
#define __rte_weak __attribute__((__weak__))
#define __rte_used __attribute__((used))
#define __rte_hot
#define __rte_cold
#define RTE_SET_USED(x) (void)(x)
#define RTE_PRIORITY_LAST 65535
#define RTE_DIM(a) (sizeof(a) / sizeof((a)[0]))
#define RTE_MIN(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define RTE_MAX(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define RTE_MIN_T(a, b, type) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define RTE_MAX_T(a, b, type) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define RTE_SWAP(a, b) do { typeof(a) _swap = (a); (a) = (b); (b) = _swap; } while (0)
#define RTE_PTR_ADD(ptr, x) ((void *)((uintptr_t)(ptr) + (x)))
#define RTE_PTR_SUB(ptr, x) ((void *)((uintptr_t)(ptr) - (x)))
#define RTE_PTR_DIFF(a, b) ((uintptr_t)(a) - (uintptr_t)(b))
#define RTE_ALIGN_FLOOR(value, align) ((value) & ~((align) - 1))
#define RTE_ALIGN_CEIL(value, align) (((value) + (align) - 1) & ~((align) - 1))
#define RTE_ALIGN(value, align) RTE_ALIGN_CEIL(value, align)
#define RTE_IS_POWER_OF_2(n) ((n) && !(((n) - 1) & (n)))
#define RTE_BIT32(nr) (UINT32_C(1) << (nr))
#define RTE_BIT64(nr) (UINT64_C(1) << (nr))
#define RTE_STR(x) #x
#define RTE_BUILD_BUG_ON(condition)
#define RTE_INIT(function) static void function(void)
#define RTE_FINI(function) static void function(void)
#ifndef offsetof
#define offsetof(type, member) ((size_t) & ((type *)0)->member)
#endif
#ifndef container_of
#define container_of(ptr, type, member) ((type *)((uintptr_t)(ptr) - offsetof(type, member)))
#endif
typedef uint64_t rte_iova_t;
typedef uint64_t unaligned_uint64_t;
typedef uint32_t unaligned_uint32_t;
typedef uint16_t unaligned_uint16_t;
static inline int rte_is_power_of_2(uint32_t n) { return n && !(n & (n - 1)); }
static inline uint32_t rte_align32pow2(uint32_t x) {
  x--;
  x |= x >> 1;
  x |= x >> 2;
  x |= x >> 4;
  x |= x >> 8;
  x |= x >> 16;
  return x + 1;
}
static inline uint64_t rte_align64pow2(uint64_t x) {
  x--;
  x |= x >> 1;
  x |= x >> 2;
  x |= x >> 4;
  x |= x >> 8;
  x |= x >> 16;
  x |= x >> 32;
  return x + 1;
}
uint32_t rte_log2_u32(uint32_t x);
void rte_exit(int status, const char *format, ...);
