#pragma once
static inline void rte_pause(void) {}
