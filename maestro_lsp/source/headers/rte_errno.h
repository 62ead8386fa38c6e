#pragma once
#include <errno.h>
extern __thread int rte_errno;
const char *rte_strerror(int number);
