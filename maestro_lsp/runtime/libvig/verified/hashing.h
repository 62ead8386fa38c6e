// Hash functions that the structures share. Not part of the interface.
#ifndef LIBVIG_HASHING_H
#define LIBVIG_HASHING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// 2^64 divided by the golden ratio: multiplying by it spreads low bits to the high ones (Knuth, volume 3, 6.4).
#define GOLDEN_RATIO_64 0x9E3779B97F4A7C15ull

// Finaliser of splitmix64 (Steele, Lea, Flood, 2014): every input bit reaches every output bit.
static inline uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// Hash of `size` bytes, eight at a time.
static inline uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed) {
  const uint8_t *at = bytes;
  uint64_t hash = mix64(seed + size);
  uint64_t word;
  for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
    memcpy(&word, at, sizeof(word));
    hash = mix64(hash ^ word) + GOLDEN_RATIO_64;
  }
  if (size > 0) {
    word = 0;
    memcpy(&word, at, size);
    hash = mix64(hash ^ word);
  }
  return hash;
}

// Maps a hash to [0, n) by its high bits, without the division that n would otherwise cost.
static inline uint32_t reduce32(uint32_t hash, uint32_t n) {
  return (uint32_t)(((uint64_t)hash * n) >> 32);
}

#endif
