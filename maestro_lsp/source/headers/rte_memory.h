#pragma once
#include <rte_common.h>
#define SOCKET_ID_ANY (-1)
