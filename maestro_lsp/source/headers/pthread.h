#pragma once
typedef unsigned long pthread_t;
typedef struct {
  long opaque[5];
} pthread_mutex_t;
typedef struct {
  long opaque[7];
} pthread_rwlock_t;
typedef int pthread_spinlock_t;
#define PTHREAD_MUTEX_INITIALIZER {{0}}
int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_create(pthread_t *thread, const void *attributes, void *(*run)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
