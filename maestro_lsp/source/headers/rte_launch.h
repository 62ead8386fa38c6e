#pragma once
typedef int lcore_function_t(void *argument);
int rte_eal_remote_launch(lcore_function_t *function, void *argument, unsigned lcore);
int rte_eal_mp_remote_launch(lcore_function_t *function, void *argument, int call_main);
void rte_eal_mp_wait_lcore(void);
int rte_eal_wait_lcore(unsigned lcore);
