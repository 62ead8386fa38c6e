// Keeps the books for double.c; see tracing.h.
#define _GNU_SOURCE
#include "tracing.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

// ---- Objects

static struct object *objects;
static unsigned objects_count;

static unsigned object_number(const void *address) {
  for (unsigned i = 0; i < objects_count; ++i) {
    if (objects[i].address == address) {
      return i;
    }
  }
  bench_escape("a libVig call on %p, which no allocation returned", address);
}

struct object *object_at(const void *address) {
  return &objects[object_number(address)];
}

struct object *new_object(void *address) {
  objects = realloc(objects, (objects_count + 1) * sizeof(*objects));
  objects[objects_count] = (struct object){.address = address};
  return &objects[objects_count++];
}

void find_key_by_equality(map_keys_equality *keq, struct key_layout *key) {
  _Alignas(64) uint8_t a[KEY_MAX] = {0};
  _Alignas(64) uint8_t b[KEY_MAX] = {0};
  for (unsigned i = 0; i < KEY_MAX; ++i) {
    b[i] = 0xff;
    if (!keq(a, b)) {
      key->mask[i] = 0xff;
      key->size = i + 1;
    }
    b[i] = 0;
  }
}

// Bit by bit, since a hash may happen to be the same for two different bytes.
void find_key_by_hash(map_key_hash *khash, struct key_layout *key) {
  _Alignas(64) uint8_t probe[KEY_MAX] = {0};
  unsigned of_zeroes = khash(probe);
  for (unsigned bit = 0; bit < 8 * KEY_MAX; ++bit) {
    probe[bit / 8] = (uint8_t)(1u << bit % 8);
    if (khash(probe) != of_zeroes) {
      key->mask[bit / 8] = 0xff;
      key->size = bit / 8 + 1;
    }
    probe[bit / 8] = 0;
  }
}

void find_key_by_size(unsigned size, struct key_layout *key) {
  key->size = size < KEY_MAX ? size : KEY_MAX;
  memset(key->mask, 0xff, key->size);
}

// ---- Log

static char *log_text;
static size_t log_size;
static size_t log_room;
bool recording = true;
bool in_call;

static void append(const char *format, ...) {
  for (;;) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(log_text + log_size, log_room - log_size, format, arguments);
    va_end(arguments);
    if (log_size + (size_t)length < log_room) {
      log_size += (size_t)length;
      return;
    }
    log_room = 2 * log_room + (size_t)length + 1024;
    log_text = realloc(log_text, log_room);
  }
}

const char *double_log(void) {
  return log_text == NULL ? "" : log_text;
}

void begin(const char *function) {
  in_call = true;
  append("%s", function);
}

void integer(const char *name, int64_t value) {
  append("\t%s=%" PRId64, name, value);
}

void object(const char *name, const void *address) {
  append("\t%s=@%u", name, object_number(address));
}

void bytes(const char *name, const void *at, size_t size) {
  append("\t%s=x", name);
  for (size_t i = 0; i < size; ++i) {
    append("%02x", ((const uint8_t *)at)[i]);
  }
}

void key_bytes(const char *name, const void *at, const struct key_layout *key) {
  uint8_t counting[KEY_MAX];
  for (unsigned i = 0; i < key->size; ++i) {
    counting[i] = ((const uint8_t *)at)[i] & key->mask[i];
  }
  bytes(name, counting, key->size);
}

void function_pointer(const char *name, const void *function) {
  Dl_info info;
  if (dladdr(function, &info) != 0 && info.dli_saddr == function) {
    append("\t%s=f%s", name, info.dli_sname);
  } else {
    append("\t%s=f", name); // a static function, or NULL
  }
}

void returns_nothing(void) {
  append("\t->\n");
  in_call = false;
}

int64_t returns(int64_t result) {
  append("\t->%" PRId64 "\n", result);
  in_call = false;
  return result;
}

// ---- Script

struct answer {
  const char *function;
  int64_t result;
  const uint8_t *out; // what the call writes through its output pointer
  uint32_t out_size;
};

static const struct answer *script;
static uint32_t script_size;
static uint32_t script_next;
bool scripted;

// Says how the calls of the next packet are answered: by these answers, or (answers NULL) by the real libVig.
void double_set_script(const struct answer *answers, uint32_t count) {
  script = answers;
  script_size = count;
  scripted = answers != NULL;
}

int64_t answer(const char *function, void *out, size_t size) {
  if (script_next == script_size) {
    bench_escape("script: %s is one call more than the %u answers", function, script_size);
  }
  const struct answer *given = &script[script_next];
  if (strcmp(given->function, function) != 0) {
    bench_escape("script: answer %u is for %s, but the call is %s", script_next, given->function, function);
  }
  if (given->out_size > size) {
    bench_escape("script: answer %u has %u bytes for %s, which takes %zu", script_next, given->out_size, function,
                 size);
  }
  ++script_next;
  if (given->out_size > 0) {
    memset(out, 0, size);
    memcpy(out, given->out, given->out_size);
  }
  return given->result;
}

// ---- Borrowed cells of the current packet

static struct cell *cells;
static unsigned cells_count;

// Scripted: two borrows of one cell are one piece of memory, as in a real vector.
struct cell *cell_of(const struct Vector *vector, int index) {
  for (unsigned i = cells_count; i > 0; --i) {
    if (cells[i - 1].vector == vector && cells[i - 1].index == index) {
      return &cells[i - 1];
    }
  }
  return NULL;
}

struct cell *new_cell(struct Vector *vector, int index, unsigned elem_size) {
  cells = realloc(cells, (cells_count + 1) * sizeof(*cells));
  cells[cells_count] = (struct cell){.vector = vector, .index = index, .known = calloc(1, elem_size)};
  return &cells[cells_count++];
}

void log_cell(struct cell *cell, unsigned elem_size) {
  bytes("value", cell->value, elem_size);
  memcpy(cell->known, cell->value, elem_size);
}

static void forget_cells(void) {
  for (unsigned i = 0; i < cells_count; ++i) {
    free(cells[i].known);
    if (cells[i].owned) {
      free(cells[i].value);
    }
  }
  cells_count = 0;
}

void double_packet_begin(void) {
  log_size = 0;
  append("%s", "");
  forget_cells();
  script_next = 0;
  recording = true;
  in_call = false;
}

// Cells that changed since they were last logged were written after their return, or never returned.
void double_packet_end(void) {
  for (unsigned i = 0; i < cells_count; ++i) {
    unsigned elem_size = object_at(cells[i].vector)->elem_size;
    if (memcmp(cells[i].known, cells[i].value, elem_size) != 0) {
      begin("borrowed_cell");
      object("vector", cells[i].vector);
      integer("index", cells[i].index);
      log_cell(&cells[i], elem_size);
      returns_nothing();
    }
  }
  recording = false;
  if (script_next < script_size) {
    bench_escape("script: the packet left %u of %u answers unused", script_size - script_next, script_size);
  }
}
