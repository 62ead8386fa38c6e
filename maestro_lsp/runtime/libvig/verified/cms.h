// A count-min sketch with a periodic fresh start (Cormode, Muthukrishnan, 2005): estimates are never below
// the true count since the latest start.
#ifndef LIBVIG_CMS_H
#define LIBVIG_CMS_H

#include <stdint.h>

#include "vigor-time.h"

struct CMS;

// Makes an empty sketch of `height` rows and `width` columns for keys of key_size bytes.
// Returns 1 and sets *cms_out, or returns 0 and leaves it alone.
int cms_allocate(uint32_t height, uint32_t width, uint32_t key_size, vigor_time_t cleanup_interval,
                 struct CMS **cms_out);

void cms_increment(struct CMS *cms, void *key);

// The estimated count of the key.
uint64_t cms_count_min(struct CMS *cms, void *key);

// Empties the sketch if cleanup_interval has passed since it last did; the first call starts the clock.
// Returns 1 if it emptied it, else 0.
int cms_periodic_cleanup(struct CMS *cms, vigor_time_t now);

#endif
