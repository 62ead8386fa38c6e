#pragma once
// The style of an NF, and of its libVig, is not ours to change: what follows may be unusual, until the pragma that ends
// it. What is wrong rather than unusual still warns.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-variable"
#ifdef __clang__
#  pragma clang diagnostic ignored "-Wbitwise-instead-of-logical"
#endif
