// An assertion is a call that an analysis may take as an assumption.
#pragma once
void __assert_holds(int condition);
#define assert(condition) __assert_holds((condition) != 0)
#define static_assert _Static_assert
