#pragma once
#include <string.h>
int ffs(int value);
