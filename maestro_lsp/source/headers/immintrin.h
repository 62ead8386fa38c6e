#pragma once
#include <nmmintrin.h>
