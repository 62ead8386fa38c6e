// The parser knows NULL, like bool in stdbool.h.
#pragma once
#define offsetof(type, member) ((size_t) & ((type *)0)->member)
