// An assertion is a call that an analysis may take as an assumption.
void __assert_holds(int condition);
#undef assert // it may be included again, with and without NDEBUG
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) __assert_holds((condition) != 0)
#endif
#define static_assert _Static_assert
