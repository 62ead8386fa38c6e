// Start-up: configuration, strings, floating point, allocation. `//! name [arguments]` starts a program.

//! options-of-all-kinds [--wan 3 --rate=2500 -x 0x1f --verbose rest]
struct nf_config { uint16_t wan; uint64_t rate; int x; bool verbose; int rest; } config;
void nf_config_init(int argc, char **argv) {
  struct option options[] = { { "wan", required_argument, NULL, 'w' }, { "rate", required_argument, NULL, 'r' },
                              { "verbose", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 } };
  int opt;
  while ((opt = getopt_long(argc, argv, "w:r:x:v", options, NULL)) != EOF) {
    switch (opt) {
    case 'w': config.wan = strtoul(optarg, NULL, 10); break;
    case 'r': config.rate = strtoull(optarg, NULL, 0); break;
    case 'x': config.x = strtol(optarg, NULL, 16); break;
    case 'v': config.verbose = true; break;
    default: exit(1);
    }
  }
  config.rest = argc - optind;
}
bool nf_init(void) { return true; }
PROCESS {
  if (buffer[0] == config.wan) return config.rest;
  PUT(64, config.rate * buffer[1]);
  return config.x + config.verbose;
}

//! abbreviations-and-flags [--wid=7 -abc5 --]
struct nf_config { int width, flag, a, b, c; } config;
void nf_config_init(int argc, char **argv) {
  static struct option options[] = { { "width", 1, 0, 'W' }, { "flag", 0, &config.flag, 9 }, { 0 } };
  int opt;
  while ((opt = getopt_long(argc, argv, "abc:", options, NULL)) != -1)
    switch (opt) {
    case 'W': config.width = atoi(optarg); break;
    case 'a': config.a = 1; break;
    case 'b': config.b = 1; break;
    case 'c': config.c = atoi(optarg); break;
    }
}
PROCESS { return buffer[0] + config.width * 1000 + config.c * 100 + config.a + config.b + config.flag; }

//! lists-parsed-by-hand [--mac 1,01:23:45:67:89:ab]
struct nf_config { uint8_t mac[2][6]; } config;
void nf_config_init(int argc, char **argv) {
  struct option options[] = { { "mac", required_argument, NULL, 'm' }, { NULL, 0, NULL, 0 } };
  int opt;
  while ((opt = getopt_long(argc, argv, "m:", options, NULL)) != EOF) {
    if (opt != 'm') exit(1);
    char *end;
    unsigned long device = strtoul(optarg, &end, 10);
    if (*end != ',' || device > 1) exit(1);
    unsigned v[6];
    if (sscanf(end + 1, "%x:%x:%x:%x:%x:%x", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 6) exit(1);
    for (int i = 0; i < 6; i++) config.mac[device][i] = v[i];
  }
}
PROCESS {
  memcpy(buffer + 64, config.mac[1], 6);
  return memcmp(buffer, config.mac[1], 6) == 0 ? 1 : config.mac[0][2];
}

//! strings
static int score;
static char copied[16];
bool nf_init(void) {
  char text[32] = "alpha,beta;gamma";
  score = strlen(text);
  if (strcmp("abc", "abd") < 0) score += 100;
  if (!strcmp("same", "same")) score += 1000;
  if (strncmp("prefix-1", "prefix-2", 7) == 0) score += 10000;
  char *comma = strchr(text, ',');
  score += comma - text;
  strncpy(copied, comma + 1, 4);
  for (char *word = strtok(text, ",;"); word; word = strtok(NULL, ",;")) score = score * 3 + strlen(word);
  return strchr("xyz", 'q') == NULL;
}
PROCESS {
  memcpy(buffer + 64, copied, 16);
  return score + buffer[0];
}

//! floating-point
static double ratio;
static float small;
static uint64_t ticks;
static int rounded, negative;
bool nf_init(void) {
  ratio = 10 / 4.0;
  small = 0.1f;
  ticks = 1e9 / 3 * ratio;
  rounded = (int)(ratio * 3 + 0.5);
  negative = -7.9;
  if (small != 0.1) ticks++;
  if (ratio > 2 && ratio <= 2.5) ticks += (unsigned char)200.7;
  double sum = 0;
  for (int i = 1; i <= 10; i++) sum += 1.0 / i;
  return sum > 2.92 && sum < 2.93;
}
PROCESS {
  PUT(64, ticks);
  PUT(72, negative);
  return rounded * buffer[0] + (int)(small * 100);
}

//! heap
struct state { uint32_t *values; struct state *self; uint8_t tail[]; };
static struct state *allocated;
static struct state *alloc_state(void) {
  if (allocated != NULL) return allocated;
  struct state *s = malloc(sizeof *s + 4);
  if (s == NULL) return NULL;
  s->values = calloc(4, sizeof *s->values);
  if (!s->values) return NULL;
  for (int i = 0; i < 4; i++) s->values[i] += i * 10 + s->tail[0] * 0;
  s->self = s;
  s->tail[3] = 33;
  return allocated = s;
}
bool nf_init(void) { return alloc_state() != NULL && alloc_state() == allocated; }
PROCESS {
  struct state *s = alloc_state();
  return s->self->values[3] + s->values[buffer[0] & 3] + s->tail[3];
}

//! tables-made-at-start
static uint8_t reversed[16];
static uint32_t crc[4];
bool nf_init(void) {
  for (int i = 0; i < 16; i++) for (int b = 0; b < 4; b++) reversed[i] |= (i >> b & 1) << (3 - b);
  for (uint32_t i = 0; i < 4; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ c >> 1 : c >> 1;
    crc[i] = c;
  }
  return true;
}
PROCESS {
  PUT(64, crc[buffer[1] & 3]);
  return reversed[buffer[0] & 15] << 4 | reversed[buffer[0] >> 4];
}

//! preprocessor
#define STRING(x) #x
#define NAME(a, b) a##b
#define LIMIT 12
#if defined(LIMIT) && LIMIT > 10
#define TWICE(x) ((x) * 2)
#else
#error wrong
#endif
#ifdef KLEE_VERIFICATION
#error not verified
#endif
static int NAME(val, ue) = sizeof(STRING(four));
PROCESS { return TWICE(buffer[0] + 1) + value + LIMIT; }

//! addresses-of-texts
#include <arpa/inet.h>
static uint32_t parsed[3];
static uint8_t six[16];
static int outcomes;
bool nf_init(void) {
  parsed[0] = inet_addr("10.1.2.3");
  parsed[1] = inet_addr("10.1.2");
  outcomes = inet_pton(AF_INET, "192.0.2.77", &parsed[2]);
  outcomes = 2 * outcomes + inet_pton(AF_INET, "192.0.2", &parsed[1]);
  outcomes = 2 * outcomes + inet_pton(AF_INET6, "2001:db8::7", six);
  struct in_addr address;
  outcomes = 2 * outcomes + inet_aton("nowhere", &address);
  return inet_aton("127.1", &address) && address.s_addr == htonl(0x7f000001) && inet_addr("x") == INADDR_NONE;
}
PROCESS {
  memcpy(buffer + 64, parsed, 12);
  memcpy(buffer + 80, six, 16);
  return outcomes + buffer[0];
}
