#pragma once
#include <rte_ip.h>
