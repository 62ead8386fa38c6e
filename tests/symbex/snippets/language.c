// What few programs use, and an executor that does not know it gets wrong in silence. `//! name` starts a program.

//! braces-left-out-from-the-first-member-on
struct pair { uint8_t a; uint16_t b; };
static const struct pair table[] = { 1, 2, 3, 4 };
PROCESS {
  int grid[][2] = { buffer[0], 2, 3 };
  struct { uint8_t few[1]; uint32_t rest; } x = { buffer[1], 2 };
  struct { struct pair p[2]; int last; } y = { 1, buffer[2], { 3, 4 }, 5 };
  PUT(64, sizeof grid + 100 * sizeof table);
  PUT(72, grid[0][0] + grid[1][0] + grid[1][1]);
  PUT(80, x.few[0] * 1000 + x.rest);
  PUT(88, y.p[0].b * 100 + y.p[1].b * 10 + y.last);
  return table[1].b;
}

//! types-that-a-block-defines
struct pair { uint32_t a, b; };
typedef uint32_t word;
enum { FIRST = 7 };
PROCESS {
  struct pair { uint8_t a, b; } near;
  enum { FIRST = 1, SECOND };
  near.a = buffer[0];
  near.b = 3;
  {
    typedef uint8_t word;
    PUT(64, (word)(buffer[1] + 255));
  }
  struct tail { int n; uint16_t data[]; };
  PUT(72, (word)(buffer[1] + 255));
  PUT(80, sizeof near + 10 * sizeof(struct tail) + FIRST + SECOND);
  return near.a + near.b;
}

//! enumeration-constants-that-int-does-not-hold
enum { WIDE = 0x100000000, NARROW = 1 };
enum { UPPER = 0x80000000 };
PROCESS {
  PUT(64, sizeof(WIDE) * 10 + sizeof(NARROW));
  PUT(72, WIDE + buffer[0]);
  return UPPER > 0 && -1 < NARROW;
}

//! packed-by-pragma
#pragma pack(push, 1)
struct one { uint8_t a; uint32_t b; };
#pragma pack(push, 2)
struct two { uint8_t a; uint32_t b; };
#pragma pack(pop)
struct bits { uint8_t a : 5; uint16_t b : 9; };
#pragma pack(pop)
struct usual { uint8_t a; uint32_t b; };
PROCESS {
  struct one *x = (struct one *)buffer;
  struct two *y = (struct two *)buffer;
  struct usual *z = (struct usual *)buffer;
  PUT(64, x->b);
  PUT(72, y->b);
  PUT(80, z->b);
  return sizeof *x + 10 * sizeof *y + 100 * sizeof *z + 1000 * sizeof(struct bits);
}

//! zeros-of-both-signs
PROCESS {
  double zero = 0.0;
  if (buffer[8] & 1) zero = -0.0;
  PUT(64, zero ? 1 : 2);
  return !zero + 10 * (zero == 0);
}

//! what-string-functions-return
#define _GNU_SOURCE
void *mempcpy(void *to, const void *from, size_t n);
PROCESS {
  char text[8] = "xxxxxxx";
  char *end = mempcpy(text, "ab", 2);
  *end = buffer[0];
  PUT(64, text[0] + text[2] + text[3]);
  PUT(72, strtol("-12", NULL, 10) + (strcpy(text, "q") == text));
  return end - text;
}

//! assertions-that-are-off
#define NDEBUG
#undef assert
#include <assert.h>
PROCESS {
  int n = buffer[0];
  assert(n++ == 5);
  return n;
}

//! side-effects-of-what-is-printed
PROCESS {
  int n = buffer[0];
  if (buffer[1] == 77) fprintf(stderr, "%d", n++ & 0);
  return n;
}

//! sizes-of-arrays
typedef struct flow { uint16_t a[3]; uint8_t b; } flow;
static size_t of(flow *flow) { return sizeof(flow) + sizeof((flow)->a); }
PROCESS {
  int grid[4][3];
  struct { char text[10]; } x;
  typeof(*grid) row = { buffer[0], 1 };
  PUT(64, sizeof grid / sizeof *grid + 10 * sizeof(*grid) + 1000 * sizeof row);
  PUT(72, sizeof x.text + 100 * sizeof("a" "bc") + 1000 * sizeof *&x);
  PUT(80, of(&(flow){ { 1, 2, 3 }, 4 }));
  return row[0] + row[1] + row[2];
}
