#pragma once
#include <stdint.h>
#define MS_PER_S 1000
#define US_PER_S 1000000
#define NS_PER_S 1000000000
uint64_t rte_rdtsc(void);
uint64_t rte_rdtsc_precise(void);
uint64_t rte_get_tsc_hz(void);
uint64_t rte_get_tsc_cycles(void);
uint64_t rte_get_timer_hz(void);
uint64_t rte_get_timer_cycles(void);
void rte_delay_us(unsigned us);
void rte_delay_ms(unsigned ms);
