#pragma once
#include <rte_lcore.h>
