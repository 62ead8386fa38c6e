// The pieces of an expiring map, in one include.
#ifndef LIBVIG_EMAP_H
#define LIBVIG_EMAP_H

#include "cht.h"
#include "double-chain.h"
#include "map.h"
#include "vector.h"
#include "vigor-time.h"

#endif
