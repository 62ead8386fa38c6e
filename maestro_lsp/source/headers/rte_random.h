#pragma once
#include <stdint.h>
void rte_srand(uint64_t seed);
uint64_t rte_rand(void);
uint64_t rte_rand_max(uint64_t bound);
