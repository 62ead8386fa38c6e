#pragma once
#define SIGINT 2
#define SIGABRT 6
#define SIGUSR1 10
#define SIGTERM 15
typedef int sig_atomic_t;
void (*signal(int number, void (*handler)(int)))(int);
int raise(int number);
