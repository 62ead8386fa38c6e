#pragma once
#include <rte_common.h>
#define RTE_DECLARE_PER_LCORE(type, name) extern __thread type per_lcore_##name
#define RTE_DEFINE_PER_LCORE(type, name) __thread type per_lcore_##name
#define RTE_PER_LCORE(name) (per_lcore_##name)
#define LCORE_ID_ANY UINT32_MAX
#define RTE_LCORE_FOREACH(i) for (i = rte_get_next_lcore(-1, 0, 0); i < RTE_MAX_LCORE; i = rte_get_next_lcore(i, 0, 0))
#define RTE_LCORE_FOREACH_WORKER(i) \
  for (i = rte_get_next_lcore(-1, 1, 0); i < RTE_MAX_LCORE; i = rte_get_next_lcore(i, 1, 0))
unsigned rte_lcore_id(void);
unsigned rte_lcore_count(void);
unsigned rte_get_main_lcore(void);
unsigned rte_get_next_lcore(unsigned lcore, int skip_main, int wrap);
unsigned rte_socket_id(void);
unsigned rte_lcore_to_socket_id(unsigned lcore);
