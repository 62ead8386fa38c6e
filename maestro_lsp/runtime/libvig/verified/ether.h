// Ethernet addresses as keys and as vector elements.
#ifndef LIBVIG_ETHER_H
#define LIBVIG_ETHER_H

#include <stdbool.h>

#include <rte_ether.h>

#include "boilerplate-util.h"

unsigned rte_ether_addr_hash(void *obj);
bool rte_ether_addr_eq(void *a, void *b);
void rte_ether_addr_allocate(void *obj); // sets 00:00:00:00:00:00

#endif
