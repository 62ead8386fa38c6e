#pragma once
#include <rte_launch.h>
#include <rte_lcore.h>
int rte_eal_init(int argc, char **argv);
int rte_eal_cleanup(void);
