// Integers: promotions, conversions, shifts, division, comparison. `//! name` starts a program.

//! promotion-of-narrow-types
PROCESS {
  uint8_t a = buffer[0], b = buffer[1];
  int8_t c = buffer[2];
  uint16_t d = GET(uint16_t, 3);
  PUT(64, a + b);
  PUT(72, a - b);
  PUT(80, ~a);
  PUT(88, -c);
  PUT(96, a << 12);
  PUT(104, d * d);
  PUT(112, (uint8_t)(a + b));
  PUT(120, c >> 2);
  return a - c;
}

//! casts-between-all-widths
PROCESS {
  int64_t x = GET(int64_t, 0);
  PUT(64, (int8_t)x);
  PUT(72, (uint8_t)x);
  PUT(80, (int16_t)x);
  PUT(88, (uint16_t)x);
  PUT(96, (int32_t)x);
  PUT(104, (uint32_t)x);
  PUT(112, (int)(uint8_t)(int8_t)x);
  PUT(120, (bool)x);
  PUT(128, (bool)(x & 0x100));
  return (int)(int8_t)x;
}

//! signed-against-unsigned
PROCESS {
  int a = GET(int, 0);
  unsigned b = GET(unsigned, 4);
  long c = GET(int, 8);
  int8_t d = buffer[0];
  uint8_t e = buffer[4];
  PUT(64, a < b);
  PUT(72, c < b);
  PUT(80, d < e);
  PUT(88, a < (long)b);
  PUT(96, (unsigned)d > e);
  PUT(104, -1 < 0u);
  PUT(112, (uint16_t)d == d);
  PUT(120, sizeof(int) > -1);
  return a >= b;
}

//! shifts
PROCESS {
  int a = GET(int, 0);
  unsigned b = GET(unsigned, 0);
  int n = buffer[8] & 31;
  long wide = GET(long, 0);
  PUT(64, a >> n);
  PUT(72, b >> n);
  PUT(80, b << n);
  PUT(88, a << (n & 15));
  PUT(96, wide >> (buffer[9] & 63));
  PUT(104, (uint64_t)wide >> (buffer[9] & 63));
  PUT(112, 1ul << (buffer[9] & 63));
  PUT(120, (uint8_t)b << 24);
  PUT(128, (int8_t)a >> 7);
  return -1 >> n;
}

//! division-of-signed
PROCESS {
  int a = GET(int, 0);
  int8_t b = buffer[4];
  if (b == 0 || (a == INT_MIN && b == -1)) return 7;
  PUT(64, a / b);
  PUT(72, a % b);
  PUT(80, a / 8);
  PUT(88, a % 8);
  PUT(96, a / -3);
  PUT(104, (int8_t)a / b);
  return 1;
}

//! division-of-unsigned
PROCESS {
  uint32_t a = GET(uint32_t, 0), b = GET(uint16_t, 4);
  uint64_t wide = GET(uint64_t, 0);
  if (!b) return 7;
  PUT(64, a / b);
  PUT(72, a % b);
  PUT(80, wide / b);
  PUT(88, wide % 1000);
  PUT(96, a / 10 * 10 + a % 10 == a);
  PUT(104, -7 / 2u);
  return a % 3;
}

//! compound-assignment
PROCESS {
  uint8_t a = buffer[0];
  int16_t b = GET(int16_t, 1);
  uint32_t c = GET(uint32_t, 3);
  int8_t d = buffer[7];
  a += 200; PUT(64, a);
  b -= a; PUT(72, b);
  c *= b; PUT(80, c);
  a >>= 3; PUT(88, a);
  c <<= 5; PUT(96, c);
  b |= c; PUT(104, b);
  b ^= 0xff00; PUT(112, b);
  d /= 3; PUT(120, d);
  d %= 5; PUT(128, d);
  d *= 100; PUT(136, d);
  c &= d; PUT(144, c);
  d >>= 1; PUT(152, d);
  return a += b = c;
}

//! increments
PROCESS {
  uint8_t a = buffer[0];
  int8_t b = buffer[1];
  uint16_t c[3] = { 1, GET(uint16_t, 2), 3 }, *p = c;
  PUT(64, a++);
  PUT(72, ++a);
  PUT(80, b--);
  PUT(88, --b);
  PUT(96, *p++);
  PUT(104, (*p)++);
  PUT(112, *++p);
  PUT(120, *--p);
  PUT(128, p - c);
  bool f = buffer[4];
  f++;
  return f + a + b;
}

//! literals-have-the-types-c-gives-them
PROCESS {
  PUT(64, 0xffffffff + buffer[0]);
  PUT(72, 4294967295 + buffer[0]);
  PUT(80, 2147483648 - buffer[0]);
  PUT(88, 'a' + buffer[0]);
  PUT(96, '\xff' + buffer[0]);
  PUT(104, -2147483648 - buffer[0]);
  PUT(112, 0x80000000 >> (buffer[0] & 31));
  PUT(120, (1u << 31) + (1u << 31) + buffer[0]);
  PUT(128, 010 + 0b101 + buffer[0]);
  PUT(136, ~0u + buffer[0]);
  PUT(144, ~0ul - buffer[0]);
  return -1 + buffer[0];
}

//! byte-order
static uint16_t swap16(uint16_t x) { return x >> 8 | x << 8; }
static uint32_t swap32(uint32_t x) {
  return (x & 0xff) << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}
PROCESS {
  uint16_t a = GET(uint16_t, 0);
  uint32_t b = GET(uint32_t, 2);
  uint64_t c = GET(uint64_t, 8);
  PUT(64, swap16(a));
  PUT(72, __builtin_bswap16(a));
  PUT(80, swap32(b));
  PUT(88, __builtin_bswap32(b));
  PUT(96, __builtin_bswap64(c));
  PUT(104, swap16(a) - __builtin_bswap16(a));
  PUT(112, buffer[0] << 8 | buffer[1]);
  return swap32(b) == 0x01020304;
}

//! bit-counting
PROCESS {
  uint32_t a = GET(uint32_t, 0);
  uint64_t b = GET(uint64_t, 0);
  int n = 0;
  for (int i = 0; i < 8; i++) n += buffer[9] >> i & 1;
  PUT(64, n);
  PUT(72, __builtin_popcount(a));
  PUT(80, a ? __builtin_ctz(a) : 32);
  PUT(88, a ? __builtin_clz(a) : 32);
  PUT(96, b ? __builtin_ctzll(b) : 64);
  PUT(104, a & -a);
  PUT(112, a & (a - 1));
  return (a & (a - 1)) == 0;
}

//! internet-checksum
PROCESS {
  uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += i == 10 ? 0 : GET(uint16_t, i);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  uint16_t folded = ~sum;
  memcpy(buffer + 64, &folded, 2);
  return folded;
}

//! rotation-and-hash
PROCESS {
  uint32_t hash = 2166136261u;
  for (unsigned i = 0; i < 6; ++i) hash = (hash ^ buffer[i]) * 16777619u;
  uint32_t n = buffer[7] & 31;
  PUT(64, hash);
  PUT(72, hash << n | hash >> (-n & 31));
  return hash % 4;
}

//! truth-values
PROCESS {
  uint16_t a = GET(uint16_t, 0);
  uint8_t b = buffer[2];
  PUT(64, !a);
  PUT(72, !!a);
  PUT(80, !a == b);
  PUT(88, (a > b) + (a < b) * 2);
  PUT(96, (a && b) | (a || b) << 1);
  PUT(104, -(a == b));
  PUT(112, ~(a != b));
  bool t = a;
  t |= b & 2;
  t ^= 1;
  PUT(120, t);
  return (a == b) == (b == a);
}

//! sizes-and-offsets
struct inner { char c; uint32_t word; };
struct outer { uint16_t half; struct inner in[3]; uint64_t wide; uint8_t tail[]; } ;
union either { uint8_t bytes[5]; uint16_t half; };
PROCESS {
  struct outer *o = (void *)buffer;
  PUT(128, sizeof(struct outer));
  PUT(136, offsetof(struct outer, in[2].word));
  PUT(144, sizeof o->in / sizeof o->in[0]);
  PUT(152, sizeof(union either));
  PUT(160, _Alignof(struct outer));
  PUT(168, sizeof buffer[0] + sizeof(len) + sizeof "four");
  PUT(176, __builtin_offsetof(struct outer, tail));
  PUT(184, (uint8_t *)&o->wide - buffer);
  return sizeof(buffer++) + (buffer[0] == o->half % 256);
}

//! enumerations
enum color { RED = 3, GREEN, BLUE = -7, LAST = BLUE + 9 };
enum small { A, B, C };
PROCESS {
  enum color c = buffer[0] > 10 ? GREEN : BLUE;
  enum small s = buffer[1] % 3;
  PUT(64, c);
  PUT(72, c < 0);
  PUT(80, s - 1 < 0);
  PUT(88, s == C);
  PUT(96, LAST * s);
  return c + s;
}

//! wide-multiplication
PROCESS {
  int a = GET(int, 0), b = GET(int, 4);
  PUT(64, (int64_t)a * b);
  PUT(72, a * b);
  PUT(80, (uint64_t)(uint32_t)a * (uint32_t)b >> 32);
  PUT(88, (int64_t)a * b >> 32);
  PUT(96, (uint32_t)a * (uint64_t)b);
  return a * 3 - b;
}

//! literals-of-characters-and-strings
PROCESS {
  const char *text = "\u00e9\x41\101\e\?" "\n\0b";
  for (int i = 0; i < 10; i++) PUT(64 + 8 * i, text[i]);
  PUT(144, 'ab');
  PUT(152, '\xff');
  PUT(160, L'\u00e9');
  PUT(168, sizeof("\u00e9\0"));
  return 'b' - '\n';
}

//! parameters-declared-in-the-old-style
static int64_t mix(small, wide, p) uint16_t small; int64_t wide; const uint8_t *p; { return wide << 33 | small | p[1]; }
PROCESS {
  PUT(64, mix(GET(uint16_t, 0) + 7, (int64_t)buffer[2], buffer));
  return mix(buffer[4], (int64_t)0, buffer) > 300;
}

//! sizes-of-arrays-of-named-types
typedef struct { uint32_t a; uint8_t b; } named;
PROCESS {
  uint8_t local[3] = {0};
  return buffer[0] + sizeof(named[2]) + sizeof(named[2][3]) + sizeof(local[1]);
}
