// locks: with every packet an index moves on from word to word, and what comes out at the end decides.
#include "table.h"

INIT

int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE
  uint32_t *word, *last;
  vector_borrow(cells, index, (void **)&word);
  vector_borrow(keys2, index, (void **)&last);
  bool even = !(*last & 1);
  *last = word[3];
  word[3] = word[2];
  word[2] = word[1];
  word[1] = word[0];
  word[0] = index;
  vector_return(keys2, index, last);
  vector_return(cells, index, word);
  return even ? !device : device;
}
