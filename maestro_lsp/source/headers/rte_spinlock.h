#pragma once
typedef struct {
  volatile int locked;
} rte_spinlock_t;
#define RTE_SPINLOCK_INITIALIZER { 0 }
void rte_spinlock_init(rte_spinlock_t *lock);
void rte_spinlock_lock(rte_spinlock_t *lock);
void rte_spinlock_unlock(rte_spinlock_t *lock);
int rte_spinlock_trylock(rte_spinlock_t *lock);
