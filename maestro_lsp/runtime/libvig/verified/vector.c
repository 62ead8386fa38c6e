// Vector: one block of memory. Borrowing and returning are bookkeeping for verifiers; here they cost an
// address computation and nothing.
#include "vector.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

struct Vector {
  char *elements;
  size_t elem_size;
  unsigned capacity;
};

int vector_allocate(int elem_size, unsigned capacity, vector_init_elem *init_elem, struct Vector **vector_out) {
  struct Vector *vector = malloc(sizeof(*vector));
  char *elements = calloc(capacity > 0 ? capacity : 1, (size_t)elem_size);
  if (vector == NULL || elements == NULL) {
    free(vector);
    free(elements);
    return 0;
  }
  *vector = (struct Vector){.elements = elements, .elem_size = (size_t)elem_size, .capacity = capacity};
  for (unsigned i = 0; init_elem != NULL && i < capacity; ++i) {
    init_elem(elements + i * vector->elem_size);
  }
  *vector_out = vector;
  return 1;
}

void vector_borrow(struct Vector *vector, int index, void **val_out) {
  assert((unsigned)index < vector->capacity && "vector_borrow outside the vector");
  *val_out = vector->elements + (size_t)index * vector->elem_size;
}

void vector_return(struct Vector *vector, int index, void *value) {
  (void)vector;
  (void)index;
  (void)value;
}
