#pragma once
#include <stdio.h>
#define RTE_LOGTYPE_USER1 24
#define RTE_LOG_ERR 4U
#define RTE_LOG_WARNING 5U
#define RTE_LOG_INFO 7U
#define RTE_LOG_DEBUG 8U
#define RTE_LOG(level, type, ...) rte_log(RTE_LOG_##level, RTE_LOGTYPE_##type, __VA_ARGS__)
int rte_log(uint32_t level, uint32_t type, const char *format, ...);
