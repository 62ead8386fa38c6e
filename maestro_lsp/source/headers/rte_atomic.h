#pragma once
#define rte_mb() __sync_synchronize()
#define rte_wmb() __sync_synchronize()
#define rte_rmb() __sync_synchronize()
#define rte_smp_mb() __sync_synchronize()
#define rte_smp_wmb() __sync_synchronize()
#define rte_smp_rmb() __sync_synchronize()
#define rte_compiler_barrier()
