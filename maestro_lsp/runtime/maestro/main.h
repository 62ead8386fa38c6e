// The program: the NF on several cores.
#pragma once

#include "maestro/dispatch.h"
#include "maestro/lcores.h"

static enum maestro_dispatch maestro_dispatch;
static rte_spinlock_t maestro_starting = RTE_SPINLOCK_INITIALIZER;
static atomic_uint maestro_started; // cores that have their tables
static atomic_bool maestro_ended;   // all cores have left their loops

// A core's loop where devices steer: what they give, and what cores hand over that no longer own it.
static void maestro_rss_loop(struct maestro_core *core) {
  while (maestro_goes_on(core)) {
    unsigned strays = maestro_take_strays(core); // first: they are older
    if (maestro_poll_devices(core) + strays == 0 && maestro_all_idle()) {
      atomic_store_explicit(&maestro_stop, true, memory_order_relaxed);
    }
  }
}

static int maestro_run_core(void *core_) {
  struct maestro_core *core = core_;
  maestro_self = core->index;
  rte_spinlock_lock(&maestro_starting); // users' nf_init need not be thread-safe
  bool ok = maestro_init_core();
  rte_spinlock_unlock(&maestro_starting);
  if (!ok) {
    maestro_refuse("nf_init failed on core %u: is there memory enough for the NF's tables?\n", core->index);
  }
  atomic_fetch_add(&maestro_started, 1);
  for (unsigned times = 0; atomic_load(&maestro_started) < maestro_cores;) {
    maestro_wait(&times); // tables of all cores are ready before any packet is taken
  }
  if (maestro_dispatch == MAESTRO_DISPATCH_SOFTWARE) {
    maestro_ring_loop(core);
  } else {
    maestro_rss_loop(core);
  }
  return 0;
}

// A thread beside the cores: prints counts now and then, and balances tables.
static void *maestro_watch(void *unused) {
  (void)unused;
  int64_t printed = maestro_clock();
  while (!atomic_load(&maestro_ended)) {
    usleep(10000);
    int64_t now = maestro_clock();
    maestro_tend(now, maestro_dispatch);
    if (maestro_options.stats_seconds != 0 && now - printed >= (int64_t)maestro_options.stats_seconds * 1000000000) {
      maestro_print_counts();
      printed = now;
    }
  }
  return NULL;
}

// One pool of buffers for each NUMA node, filled for the cores there. Queue i is core i's.
static void maestro_make_pools(struct rte_mempool **pools) {
  struct rte_mempool *of_node[RTE_MAX_NUMA_NODES] = {0};
  for (unsigned i = 0; i < maestro_cores; ++i) {
    unsigned node = rte_lcore_to_socket_id(maestro_core_at[i]->lcore);
    unsigned cores = 0;
    for (unsigned j = 0; j < maestro_cores; ++j) {
      cores += rte_lcore_to_socket_id(maestro_core_at[j]->lcore) == node;
    }
    if (of_node[node] == NULL) {
      of_node[node] = maestro_make_pool(node, cores);
    }
    pools[i] = of_node[node];
  }
}

int main(int argc, char **argv) {
  int used = rte_eal_init(argc, argv);
  if (used < 0) {
    maestro_refuse("DPDK does not start: %s\n", rte_strerror(rte_errno));
  }
  argc = maestro_take_options(argc - used, argv + used);
  nf_config_init(argc, argv + used);
  maestro_check_devices();

  unsigned lcores[MAESTRO_CORES_MAX];
  struct rte_mempool *pools[MAESTRO_CORES_MAX];
  maestro_dispatch = maestro_choose_dispatch();
  maestro_choose_lcores(lcores, maestro_dispatch == MAESTRO_DISPATCH_SOFTWARE);
  maestro_make_cores(lcores);
  maestro_make_pools(pools);
  maestro_make_rings();
  maestro_start_ports(maestro_dispatch, pools);
  maestro_start_balance();
  if (!maestro_init_shared()) {
    maestro_refuse("nf_init failed: is there memory enough for the NF's tables?\n");
  }

  maestro_catch_signals();
  pthread_t watch;
  if (maestro_thread_create(&watch, "watch", maestro_watch) != 0) {
    maestro_refuse("No thread to watch the cores\n");
  }
  struct maestro_core *own = NULL; // what this lcore itself runs
  for (unsigned i = 0; i < maestro_cores; ++i) {
    if (lcores[i] == rte_get_main_lcore()) {
      own = maestro_core_at[i];
    } else if (rte_eal_remote_launch(maestro_run_core, maestro_core_at[i], lcores[i]) != 0) {
      maestro_refuse("Lcore %u does not start\n", lcores[i]);
    }
  }
  if (maestro_dispatch == MAESTRO_DISPATCH_SOFTWARE) {
    maestro_dispatch_loop();
  } else if (own != NULL) {
    maestro_run_core(own);
  }
  rte_eal_mp_wait_lcore();
  atomic_store(&maestro_ended, true);
  pthread_join(watch, NULL);

  maestro_print_counts();
  maestro_print_moves();
  maestro_stop_ports();
  rte_eal_cleanup();
  return 0;
}
