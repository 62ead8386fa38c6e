// The program: the NF on one core, with one queue of each device.
#pragma once

#include "maestro/process_plain.h"

#include "maestro/cores.h"

int main(int argc, char **argv) {
  int used = rte_eal_init(argc, argv);
  if (used < 0) {
    maestro_refuse("DPDK does not start: %s\n", rte_strerror(rte_errno));
  }
  argc = maestro_take_options(argc - used, argv + used);
  nf_config_init(argc, argv + used);
  maestro_check_devices();

  unsigned lcores[MAESTRO_CORES_MAX] = {rte_get_main_lcore()};
  maestro_make_cores(lcores);
  struct rte_mempool *pool = maestro_make_pool(rte_socket_id(), 1);
  for (uint16_t device = 0; device < MAESTRO_NF_DEVICES; ++device) {
    static const struct rte_eth_conf no_rss;
    maestro_start_port(device, 1, &pool, &no_rss);
  }
  if (!nf_init()) {
    maestro_refuse("nf_init failed: is there memory enough for the NF's tables?\n");
  }
  maestro_catch_signals();
  while (maestro_goes_on(maestro_core_at[0])) {
    if (maestro_poll_devices(maestro_core_at[0]) == 0 && maestro_all_idle()) {
      break;
    }
  }

  maestro_print_counts();
  maestro_stop_ports();
  rte_eal_cleanup();
  return 0;
}
