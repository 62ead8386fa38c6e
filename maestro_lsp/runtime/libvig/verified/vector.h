// A fixed array of elements of one size, used through borrow and return so that verifiers can follow who
// owns an element. A borrowed pointer points into the vector: writing through it changes the element.
#ifndef LIBVIG_VECTOR_H
#define LIBVIG_VECTOR_H

#define VECTOR_CAPACITY_UPPER_LIMIT 140000

struct Vector;

// Writes the initial value of one element.
typedef void vector_init_elem(void *elem);

// Makes a vector of `capacity` elements of `elem_size` bytes, each set by init_elem (NULL leaves zeroes).
// Returns 1 and sets *vector_out, or returns 0 and leaves it alone.
int vector_allocate(int elem_size, unsigned capacity, vector_init_elem *init_elem, struct Vector **vector_out);

// Sets *val_out to the element at 0 <= index < capacity.
void vector_borrow(struct Vector *vector, int index, void **val_out);

// Ends the borrow of that element.
void vector_return(struct Vector *vector, int index, void *value);

#endif
