// What verifiers look at and a running NF ignores.
#pragma once

#include "maestro/core.h"

MAESTRO_API void concretize_devices(uint16_t *device, uint16_t count) {
  (void)device;
  (void)count;
}

MAESTRO_API void vigor_note(int condition) {
  (void)condition;
}
