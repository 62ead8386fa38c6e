// An assertion is a call that an analysis may take as an assumption.
#pragma once
void __assert_holds(int condition);
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) __assert_holds((condition) != 0)
#endif
#define static_assert _Static_assert
