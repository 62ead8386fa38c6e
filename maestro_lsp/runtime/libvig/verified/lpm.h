// Longest prefix match over IPv4 addresses, in two memory accesses at most (DIR-24-8: Gupta, Lin, McKeown,
// "Routing Lookups in Hardware at Memory Access Speeds", 1998).
#ifndef LIBVIG_LPM_H
#define LIBVIG_LPM_H

#include <stdint.h>

#define MAX_NEXT_HOP_VALUE 0x7FFF // largest value a prefix can map to
#define INVALID 0xFFFF            // what a lookup gives when no prefix matches

struct lpm;

// Makes an empty table. Returns 1 and sets *lpm_out, or returns 0 and leaves it alone.
int lpm_allocate(struct lpm **lpm_out);

void lpm_free(struct lpm *lpm);

// Maps the first prefixlen bits of `prefix` (host byte order) to value, replacing what that same prefix
// mapped to. The order of updates does not matter. Returns 0 if prefixlen or value is out of range or memory
// runs out, else 1.
int lpm_update_elem(struct lpm *lpm, uint32_t prefix, uint8_t prefixlen, uint16_t value);

// The value of the longest prefix that matches `address` (host byte order), or INVALID.
int lpm_lookup_elem(struct lpm *lpm, uint32_t address);

#endif
