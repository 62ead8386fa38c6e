#pragma once
#include <sys/types.h>
#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 10
typedef unsigned short sa_family_t;
typedef unsigned socklen_t;
struct sockaddr {
  sa_family_t sa_family;
  char sa_data[14];
};
