// Control flow. `//! name` starts a program.

//! ternaries
PROCESS {
  uint8_t a = buffer[0];
  int8_t b = buffer[1];
  unsigned c = GET(unsigned, 2);
  PUT(64, a > 3 ? b : c);
  PUT(72, a > 3 ? b : a);
  PUT(80, a == 1 ? 10 : a == 2 ? 20 : a == 3 ? 30 : 40);
  PUT(88, a ?: 99);
  PUT(96, (a & 1 ? (long)b : 5) < 0);
  return (a & 2 ? &buffer[5] : &buffer[6])[1];
}

//! short-circuit-spares-side-effects
static int bump(int *n, int result) { ++*n; return result; }
PROCESS {
  int n = 0;
  int a = buffer[0] && bump(&n, buffer[1]);
  int b = buffer[2] || bump(&n, buffer[3]);
  int c = buffer[0] > 4 && (buffer[1] || bump(&n, 0)) && !bump(&n, buffer[3]);
  PUT(64, n);
  return a | b << 1 | c << 2;
}

//! infix-macros
#define AND &&
#define OR ||
#define EQ ==
PROCESS {
  if (buffer[0] EQ 1 AND buffer[1] > 2 OR buffer[2] EQ 3) return 1;
  return buffer[0] AND NULL == NULL;
}

//! switch-with-fallthrough
PROCESS {
  int r = 0;
  switch (buffer[0]) {
  case 1: r += 1;
  case 2: r += 2; break;
  case 3:
  default: r += 100;
  case 5: r += 5; break;
  case 6: return 66;
  case 7: ;
  }
  return r;
}

//! switch-with-ranges
PROCESS {
  switch (GET(uint16_t, 0)) {
  case 0 ... 1023: return 1;
  case 1024: return 2;
  case 1025 ... 0x7fff: buffer[64] = 9; break;
  case 65535: return 4;
  }
  return 3;
}

//! switch-on-signed-and-enum
enum kind { LOW = -2, HIGH = 2 };
PROCESS {
  int8_t a = buffer[0];
  int r = 0;
  switch (a) { case -1: r = 1; break; case -128: r = 2; break; case 127: r = 3; break; case 255: r = 4; }
  switch ((enum kind)(a % 3)) { case LOW: r += 10; break; case HIGH: r += 20; break; default: r += 30; }
  return r;
}

//! switch-inside-a-loop-with-continue
PROCESS {
  int n = 0;
  for (int i = 0; i < 4; i++) {
    switch (buffer[i] & 3) {
    case 0: continue;
    case 1: n += 1; break;
    case 2: goto out;
    default: n += 10;
    }
    n += 100;
  }
out:
  return n;
}

//! goto-out-of-nests
PROCESS {
  int i, j;
  for (i = 0; i < 3; i++)
    for (j = 0; j < 3; j++)
      if (buffer[i * 3 + j] == 7) goto found;
  return 999;
found:
  return i * 10 + j;
}

//! goto-backwards
PROCESS {
  int n = 0;
again:
  n++;
  if (n < 4 && buffer[n]) goto again;
  return n;
}

//! do-while
PROCESS {
  int i = 0, sum = 0;
  do {
    if (buffer[i] == 9) continue;
    sum += buffer[i];
    if (sum > 300) break;
  } while (++i < 3 && buffer[i] != 0);
  return sum * 10 + i;
}

//! loops-with-comma-and-several-variables
PROCESS {
  uint32_t sum = 0;
  for (int i = 0, j = 9; i < j; i++, j--) sum = sum * 31 + (buffer[i] ^ buffer[j]);
  int k = 5;
  while (k --> 0) sum += k * buffer[k];
  for (;;) { if (k++ > 3) break; }
  return sum + k;
}

//! bounded-by-packet
PROCESS {
  unsigned n = buffer[0] & 7, sum = 0;
  for (unsigned i = 0; i < n; i++) sum += buffer[1 + i];
  return sum;
}

//! recursion
static unsigned gcd(unsigned a, unsigned b) { return b ? gcd(b, a % b) : a; }
static int depth(const uint8_t *p, int left) { return left == 0 || *p == 0 ? 0 : 1 + depth(p + 1, left - 1); }
PROCESS { return depth(buffer, 5) * 100 + gcd((buffer[6] & 3) + 1, 6); }

//! mutual-recursion
static int odd(int n);
static int even(int n) { return n == 0 ? 1 : odd(n - 1); }
static int odd(int n) { return n == 0 ? 0 : even(n - 1); }
PROCESS { return even(buffer[0] & 7) + 2 * odd(10); }

//! early-returns-in-callees
static bool parse(const uint8_t *p, uint16_t *out) {
  if (p[0] != 8) return false;
  if (p[1] != 0) return false;
  *out = p[2] << 8 | p[3];
  return true;
}
PROCESS {
  uint16_t port = 5;
  if (!parse(buffer, &port)) return port;
  buffer[64] = port;
  return port > 1000 ? 1 : 2;
}

//! function-pointers
static int add(int a, int b) { return a + b; }
static int subtract(int a, int b) { return a - b; }
typedef int (*operation)(int, int);
static const operation table[] = { add, subtract };
struct methods { operation run; const char *name; } methods[2] = { { .run = subtract }, { add, "add" } };
static operation choose(int which) { return which ? &add : subtract; }
PROCESS {
  int a = buffer[0], b = buffer[1];
  int r = table[1](a, b) + methods[0].run(a, 1) * (*methods[1].run)(b, 2);
  if (choose(buffer[2] & 1) == add) r++;
  return r + choose(buffer[2] & 1)(a, b);
}

//! static-initialised-once
static int table[4] = { 1, [2] = 5 };
static int lookup(int i) {
  static const uint8_t weights[] = { 3, 1, 4, 1, 5, 9 };
  return weights[i % 6];
}
PROCESS {
  int sum = 0;
  for (int i = 0; i < 4; i++) sum += table[i] * buffer[i];
  return sum + lookup(buffer[5]);
}

//! global-written-by-packets
uint32_t count;
uint16_t last[2];
PROCESS {
  count += buffer[0];
  uint16_t before = last[1];
  last[1] = GET(uint16_t, 1);
  PUT(64, before);
  if (count % 3 == 0) return last[1];
  return count;
}

//! asserts-and-unlikely
PROCESS {
  unsigned n = buffer[0] & 15;
  assert(n < 16);
  if (__builtin_expect(n == 4, 0)) return 1;
  if (!__builtin_expect(!!(buffer[1]), 1)) return 2;
  return n > 20 ? 1 / (int)(n - n) : 3;
}

//! statement-expressions-and-generic-macros
#define MAX(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
PROCESS {
  int8_t a = buffer[0];
  uint32_t b = buffer[1];
  PUT(64, MAX(a, 0));
  PUT(72, MAX(a, b));
  PUT(80, MAX(MAX(buffer[0], buffer[1]), buffer[2]));
  return ({ int x = a; x * 2; });
}

//! device-length-and-time
PROCESS {
  PUT(64, now / 1000000);
  PUT(72, now - 5 < 0);
  PUT(80, len > 100 ? len - 100 : 0);
  PUT(88, (uint32_t)now);
  if (now < 1000) return 2;
  return device + (len & 1);
}

//! shadowed-names
int x = 3;
PROCESS {
  int r = x;
  int x = buffer[0];
  { int x = 7; r += x; for (int x = 0; x < 2; x++) r += x; }
  if (x > 5) { uint8_t x = 250; x += 10; r += x; }
  return r * 100 + x;
}

//! entry-with-mbuf
struct rte_mbuf;
int nf_process(uint16_t device, uint8_t **buffer, uint16_t len, vigor_time_t now, struct rte_mbuf *mbuf) {
  uint8_t *packet = *buffer;
  if (packet[0] > packet[1]) { packet[2] = packet[1]; (*buffer)[3] = device + 1; return 1; }
  return device;
}

//! entry-of-other-names
#undef PROCESS
typedef int64_t time_ns_t;
int nf_process(uint16_t in, uint8_t *p, uint16_t size, time_ns_t at) {
  return at > 1000 ? size : p[0] - in;
}
