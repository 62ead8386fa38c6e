// What double.c is made of: the objects an NF allocated, the log of its calls, the script that answers them,
// and the vector cells it has borrowed.
//
// The log is text, one line a call, fields separated by tabs: the name; name=value for each argument or
// output; then ->result (-> alone for void). Values: decimal integers; @N, the N-th object that was
// allocated; xHEX, bytes; fNAME, a function. A script is a list of answers for the calls of one packet
// that have something to answer, in order.
#ifndef BENCH_TRACING_H
#define BENCH_TRACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvig/verified/map-util.h"

struct Vector;

// ---- Objects

#define KEY_MAX 256 // bytes; longer keys are cut off

struct key_layout {
  unsigned size;         // up to the last byte that counts
  uint8_t mask[KEY_MAX]; // 0xff for bytes that count, 0 for padding
};

struct object {
  void *address;
  struct key_layout key;
  struct key_layout key_b; // of the second key of a double map
  unsigned elem_size;      // of a vector's element or a double map's value
};

struct object *new_object(void *address);
struct object *object_at(const void *address); // escapes if no allocation returned this address

// A map is never told what its keys look like. But its equality looks at exactly the bytes that count: those
// whose change makes equal keys differ. The same goes for a sketch, which has only a hash.
void find_key_by_equality(map_keys_equality *keq, struct key_layout *key);
void find_key_by_hash(map_key_hash *khash, struct key_layout *key);
void find_key_by_size(unsigned size, struct key_layout *key);

// ---- Log

extern bool recording; // initialisation, and each packet while the NF has it
extern bool in_call;   // libVig calls the NF's functions, which may call libVig again: not logged

void begin(const char *function);
void integer(const char *name, int64_t value);
void object(const char *name, const void *address);
void bytes(const char *name, const void *at, size_t size);
void key_bytes(const char *name, const void *at, const struct key_layout *key); // padding as zeroes
void function_pointer(const char *name, const void *function);
void returns_nothing(void);
int64_t returns(int64_t result); // gives the result back

// ---- Script

extern bool scripted; // the current packet's calls are answered by a script

// The script's answer to this call, whose output (if any) goes, zero-padded, to the `size` bytes at out.
// Escapes if the script's next answer is for another call.
int64_t answer(const char *function, void *out, size_t size);

// ---- Borrowed cells of the current packet

struct cell {
  struct Vector *vector;
  int index;
  void *value;    // what the NF got: the vector's own memory, or ours when scripted
  uint8_t *known; // its bytes as last logged
  bool owned;     // value is ours
};

struct cell *cell_of(const struct Vector *vector, int index); // NULL: not borrowed by this packet
struct cell *new_cell(struct Vector *vector, int index, unsigned elem_size);
void log_cell(struct cell *cell, unsigned elem_size); // logs its bytes as `value`

#endif
