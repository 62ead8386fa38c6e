#pragma once
#include <rte_common.h>
struct rte_mempool;
struct rte_mempool *rte_mempool_create(const char *name, unsigned n, unsigned elt_size, unsigned cache_size,
                                       unsigned private_data_size, void *mp_init, void *mp_init_arg, void *obj_init,
                                       void *obj_init_arg, int socket_id, unsigned flags);
int rte_mempool_get(struct rte_mempool *pool, void **object);
void rte_mempool_put(struct rte_mempool *pool, void *object);
