// locks: what the configuration holds is not known, at whatever depth.
#include "table.h"

struct {
  struct {
    int counting[2];
    unsigned quick : 1;
  } options;
} config;

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  static uint32_t count;
  return config.options.counting[1] && !config.options.quick && ++count > 100 ? device : !device;
}
