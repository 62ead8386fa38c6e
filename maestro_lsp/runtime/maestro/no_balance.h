// In place of balance.h: tables stay as they are.
#pragma once

#include "maestro/options.h"

static void maestro_start_balance(void) {
  if (maestro_options.balance_seconds != 0) {
    maestro_refuse("--balance: cores of this program keep state that cannot move between them\n");
  }
}

static void maestro_tend(int64_t now, enum maestro_dispatch dispatch) {
  (void)now;
  (void)dispatch;
}

static void maestro_print_moves(void) {
}
