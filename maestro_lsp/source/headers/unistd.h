#pragma once
#include <getopt.h>
#include <sys/types.h>
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define _SC_PAGESIZE 30
#define _SC_NPROCESSORS_ONLN 84
ssize_t read(int descriptor, void *to, size_t size);
ssize_t write(int descriptor, const void *from, size_t size);
int close(int descriptor);
int access(const char *path, int mode);
unsigned sleep(unsigned seconds);
int usleep(unsigned microseconds);
long sysconf(int name);
pid_t getpid(void);
void _exit(int status);
