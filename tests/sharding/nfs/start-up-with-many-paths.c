// locks: what start-up reads from a file decides whether packets are counted, on a path too deep to be explored.
#include "table.h"

#include <stdio.h>

static bool counting;
static uint32_t count;

bool nf_init(void) {
  FILE *file = fopen("settings", "r");
  int value;
  for (int i = 0; file && i < 40; i++) {
    if (fscanf(file, "%d", &value) != 1 || value == 7) return true;
  }
  counting = true;
  return true;
}

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (counting) count++;
  return count > 100 ? device : !device;
}
