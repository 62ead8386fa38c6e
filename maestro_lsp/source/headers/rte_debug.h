#pragma once
#include <assert.h>
#define RTE_ASSERT(condition) __assert_holds((condition) != 0)
#define RTE_VERIFY(condition) __assert_holds((condition) != 0)
#define rte_panic(...) rte_exit(1, __VA_ARGS__)
void rte_exit(int status, const char *format, ...);
