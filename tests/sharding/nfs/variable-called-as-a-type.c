// unknown: what looks like a cast is a subtraction, since a variable is called as a type is elsewhere.
#include "table.h"
typedef uint8_t kind;
static uint64_t total;
INIT
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  int kind = ip->next_proto_id;
  if ((kind) - 1 != 255) total++;
  return total > 100 ? device : !device;
}
