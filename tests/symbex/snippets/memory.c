// Structs, arrays, pointers, copies. `//! name` starts a program.

//! struct-over-the-packet
struct ether { uint8_t dst[6], src[6]; uint16_t type; } __attribute__((packed));
struct ip { uint8_t version_ihl, tos; uint16_t length; uint32_t src, dst; } __attribute__((packed));
PROCESS {
  struct ether *e = (struct ether *)buffer;
  if (e->type != 0x0008) return 0;
  struct ip *ip = (struct ip *)(e + 1);
  uint32_t t = ip->src;
  ip->src = ip->dst;
  ip->dst = t;
  memcpy(e->dst, e->src, sizeof e->dst);
  ip->tos |= 0x80;
  return (ip->version_ihl & 0xf) * 4;
}

//! unions
union number { uint32_t word; uint16_t halves[2]; uint8_t bytes[4]; struct { int8_t low; uint8_t high[3]; } parts; float real; };
PROCESS {
  union number n = { .word = GET(uint32_t, 0) };
  n.bytes[1] = buffer[4];
  PUT(64, n.word);
  PUT(72, n.halves[0] + n.halves[1]);
  PUT(80, n.parts.low);
  n.halves[1] = 0x1234;
  union number m = n;
  m.parts.high[0]++;
  PUT(88, m.word ^ n.word);
  return m.bytes[3];
}

//! bit-fields
struct bits { unsigned a : 3; int b : 5; unsigned c : 12; uint32_t d : 12; uint8_t e : 1, f : 7; unsigned : 0; uint64_t g : 40; };
PROCESS {
  struct bits x;
  memset(&x, 0, sizeof x);
  x.a = buffer[0];
  x.b = buffer[1];
  x.c = GET(uint16_t, 2);
  x.d = x.c + 1;
  x.f = 200 + buffer[4];
  x.e = buffer[5];
  x.g = GET(uint64_t, 8);
  PUT(64, x.a - 8);
  PUT(72, x.b);
  PUT(80, x.c + x.d);
  PUT(88, x.f + x.e);
  PUT(96, x.g >> 7);
  x.b += 3;
  x.a++;
  memcpy(buffer + 128, &x, sizeof x);
  return x.b < 0;
}

//! bit-fields-of-a-header
struct ip { uint8_t ihl : 4, version : 4; uint8_t dscp : 6, ecn : 2; uint16_t length; } __attribute__((packed));
PROCESS {
  struct ip *ip = (void *)buffer;
  if (ip->version != 4 || ip->ihl < 5) return 0;
  ip->ecn = 3;
  ip->dscp--;
  return ip->ihl * 4;
}

//! anonymous-members
struct flow { union { struct { uint16_t src, dst; }; uint32_t both; }; uint8_t proto; };
PROCESS {
  struct flow f = { .both = GET(uint32_t, 0), .proto = buffer[4] };
  uint16_t t = f.src;
  f.src = f.dst;
  f.dst = t;
  PUT(64, f.both);
  return f.proto + f.dst;
}

//! struct-copies
struct pair { uint16_t a; uint8_t b[3]; uint32_t c; };
PROCESS {
  struct pair x = { GET(uint16_t, 0), { buffer[2], buffer[3] }, GET(uint32_t, 4) }, y = x, z;
  z = y;
  y.b[1] = 9;
  z.c += y.c;
  struct pair *p = &z, w = *p;
  p->a = 1;
  PUT(64, x.b[1] + y.b[1] * 256 + z.b[1] * 65536);
  PUT(72, w.c);
  PUT(80, w.a - z.a);
  *p = x;
  return z.a + z.b[2];
}

//! struct-by-value
struct point { int x, y; };
struct big { uint8_t bytes[40]; };
static struct point make(int x, int y) { return (struct point){ .y = y, .x = x }; }
static struct point add(struct point a, struct point b) { a.x += b.x; a.y += b.y; return a; }
static struct big filled(uint8_t v) { struct big b; memset(b.bytes, v, sizeof b.bytes); b.bytes[7] = 1; return b; }
static int total(struct big b) { int n = 0; for (int i = 0; i < 40; i++) n += b.bytes[i]; b.bytes[0] = 99; return n; }
PROCESS {
  struct point p = make(buffer[0], buffer[1]), q = add(p, make(1, -2));
  struct big b = filled(buffer[2]);
  PUT(64, p.x * 1000 + p.y);
  PUT(72, q.y);
  PUT(80, add(p, q).x);
  PUT(88, total(b) + total(filled(3)));
  return b.bytes[0] + b.bytes[7];
}

//! arrays-of-structs
struct entry { uint8_t key; uint16_t value; };
static const struct entry table[] = { { 1, 100 }, { 2, 200 }, { .value = 300, .key = 3 }, [5] = { 9, 900 } };
PROCESS {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].key == buffer[0]) return table[i].value;
  struct entry mine[3] = { { .value = buffer[1] } };
  mine[1] = mine[0];
  mine[1].value++;
  mine[2] = table[2];
  return mine[0].value + mine[1].value * 2 + mine[2].value + mine[2].key;
}

//! two-dimensional-arrays
PROCESS {
  uint16_t m[3][4] = { { 1, 2 }, { [3] = 7 } };
  m[2][1] = buffer[0];
  uint16_t (*row)[4] = m + 1;
  row[1][2] = buffer[1];
  (*row)[0] = 5;
  int sum = 0;
  for (int i = 0; i < 3; i++) for (int j = 0; j < 4; j++) sum += m[i][j] * (i * 4 + j);
  PUT(64, sizeof m + sizeof *row);
  return sum + *(*(m + 2) + 1) + 2[m][2];
}

//! symbolic-index-into-a-table
static const uint16_t squares[8] = { 0, 1, 4, 9, 16, 25, 36, 49 };
PROCESS {
  uint32_t local[4] = { 11, 22, GET(uint32_t, 4), 44 };
  local[buffer[1] & 3] += 5;
  PUT(64, squares[buffer[0] & 7]);
  PUT(72, local[0] ^ local[1] ^ local[2] ^ local[3]);
  PUT(80, local[buffer[2] & 3]);
  return squares[buffer[0] % 8] > squares[buffer[1] & 7];
}

//! packet-at-a-symbolic-offset
PROCESS {
  unsigned ihl = (buffer[0] & 15) * 4;
  uint8_t *l4 = buffer + 16 + ihl;
  uint16_t port = l4[0] << 8 | l4[1];
  if (port == 53) { l4[2] = 1; return 1; }
  return port & 0xff;
}

//! pointers-to-pointers
static void advance(uint8_t **p, int n) { *p += n; }
static void find(uint8_t *start, uint8_t **found, int **where, int *slot) { *found = start + 2; *where = slot; }
PROCESS {
  uint8_t *p = buffer, **pp = &p, *q;
  int slot = 4, *where;
  advance(pp, 3);
  advance(&p, buffer[0] ? 1 : 2);
  find(p, &q, &where, &slot);
  *where += **pp;
  *q = 77;
  return slot * 10 + (q - buffer);
}

//! pointer-arithmetic-and-comparison
struct item { uint32_t a; uint8_t b; };
PROCESS {
  struct item items[5];
  struct item *first = items, *p = &items[3];
  p->b = buffer[0];
  (p - 1)->a = 8;
  PUT(64, p - first);
  PUT(72, (char *)p - (char *)first);
  PUT(80, p > first && p != first + 4 && p <= &items[3]);
  PUT(88, ((uintptr_t)p - (uintptr_t)first) / sizeof *p);
  void *v = p;
  uint8_t *null = NULL;
  PUT(96, v == (void *)(items + 3));
  PUT(104, !null + !v * 2);
  return ((struct item *)v)->b + p[-1].a;
}

//! memory-functions
PROCESS {
  uint8_t a[8], b[8];
  memcpy(a, buffer, 8);
  memset(b, buffer[8], sizeof b);
  b[3] = a[3];
  memmove(a + 2, a, 4);
  PUT(64, memcmp(a, b, 4) == 0);
  PUT(72, !memcmp(a, buffer, 2));
  PUT(80, memcmp(a + 2, buffer, 4) != 0);
  memcpy(buffer + 88, a, 8);
  memcpy(buffer + 96, b, 8);
  bzero(a, 3);
  memcpy(buffer + 104, a, 8);
  return memcmp(buffer, "\1\2\3", 3) == 0 ? 1 : 2;
}

//! order-by-memcmp
PROCESS {
  uint8_t key[3] = { 2, 3, 5 };
  int c = memcmp(buffer, key, 3);
  return c < 0 ? 1 : c > 0 ? 2 : 3;
}

//! overlapping-moves
PROCESS {
  uint32_t words[4];
  memcpy(words, buffer, 16);
  memmove(words + 1, words, 12);
  memmove(buffer + 64, words, 16);
  memmove(buffer + 1, buffer, 10);
  return words[3] == words[0];
}

//! byte-views-of-words
PROCESS {
  uint32_t x = GET(uint32_t, 0);
  uint8_t *bytes = (uint8_t *)&x;
  bytes[2] = bytes[0] + 1;
  uint16_t *halves = (uint16_t *)bytes;
  PUT(64, halves[1]);
  PUT(72, *(int8_t *)&x);
  PUT(80, *(uint16_t *)(bytes + 1));
  *(uint16_t *)&buffer[80] = x;
  return *(int *)&buffer[2];
}

//! compound-literals
struct id { uint16_t a, b; uint8_t c; };
static int weigh(const struct id *id) { return id->a + id->b * 3 + id->c * 7; }
static int sum(const int *v, int n) { return n ? *v + sum(v + 1, n - 1) : 0; }
PROCESS {
  struct id *p = &(struct id){ .b = buffer[0], .c = 1 };
  p->a = buffer[1];
  PUT(64, weigh(&(struct id){ buffer[0], buffer[1], buffer[2] }));
  PUT(72, sum((int[]){ 1, 2, buffer[3] }, 3));
  return weigh(p) + ((struct id){ 5 }).a + (const uint8_t[]){ 1, 2, 3 }[1];
}

//! designated-initialisers
struct inner { int a, b; };
struct outer { struct inner in[2]; uint8_t flags[4]; const char *name; };
PROCESS {
  struct outer o = { .in[1].b = buffer[0], .flags = { [1 ... 2] = 7 }, .in[0] = { 1, 2 }, .name = "xyz" };
  struct outer n = { { { 1, 2 }, { 3, buffer[1] } }, { 4 } };
  int brace_free[2][2] = { 1, 2, buffer[2], 4 };
  PUT(64, o.in[1].b + o.in[1].a * 10 + o.in[0].b * 100);
  PUT(72, o.flags[0] + o.flags[2] * 2 + o.flags[3]);
  PUT(80, n.in[1].b + n.flags[0] + (n.name == NULL));
  PUT(88, brace_free[1][0]);
  return o.name[1];
}

//! flexible-and-nested-pointers
struct node { struct node *next; uint8_t value; };
PROCESS {
  struct node c = { NULL, buffer[2] }, b = { &c, buffer[1] }, a = { &b, buffer[0] };
  if (buffer[3] & 1) a.next = &c;
  int sum = 0;
  for (struct node *n = &a; n; n = n->next) sum = sum * 2 + n->value;
  return sum;
}

//! volatile-const-and-restrict
static inline uint32_t mix(const uint8_t *restrict p, const volatile uint8_t *q) { return *p * 3u + *q; }
PROCESS {
  const uint8_t *const p = buffer;
  volatile uint32_t v = mix(p, buffer + 1);
  v = v + 1;
  return v;
}

//! strings-as-data
PROCESS {
  static const char text[] = "ab\0cd\x41\101";
  char copy[8] = "hi";
  const char *p = "later" "joined";
  PUT(64, sizeof text);
  PUT(72, text[buffer[0] & 7]);
  PUT(80, copy[1] + copy[2] + copy[7]);
  PUT(88, p[5]);
  PUT(96, strlen(text));
  return text[5] == 'A';
}

//! address-masks
PROCESS {
  uint32_t address = GET(uint32_t, 0);
  uint8_t prefix = 24;
  uint32_t mask = __builtin_bswap32(~0u << (32 - prefix));
  uint32_t net = address & mask;
  PUT(64, net);
  PUT(72, __builtin_bswap32(address) >> 28);
  if ((address & mask) == (0x0100000au & mask)) return 1;
  return (__builtin_bswap32(address) & 0xf0000000) == 0xe0000000 ? 2 : 3;
}
