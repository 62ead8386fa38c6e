#pragma once
#define M_E 2.7182818284590452354
#define M_PI 3.14159265358979323846
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define HUGE_VAL __builtin_huge_val()
double floor(double x);
double ceil(double x);
double round(double x);
double trunc(double x);
double fabs(double x);
double sqrt(double x);
double pow(double x, double y);
double exp(double x);
double exp2(double x);
double log(double x);
double log2(double x);
double log10(double x);
double fmod(double x, double y);
double fmin(double x, double y);
double fmax(double x, double y);
double sin(double x);
double cos(double x);
long lround(double x);
float floorf(float x);
float ceilf(float x);
float sqrtf(float x);
float powf(float x, float y);
float logf(float x);
float log2f(float x);
