#pragma once
#include <string.h>
#define rte_memcpy(to, from, size) memcpy(to, from, size)
