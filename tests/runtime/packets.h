// Packets made from their number alone, so that a replay can make them again.
#define THREADS_MAX 8
#define ROOM 128 // bytes of a packet's buffer

static uint64_t seed;
static unsigned flow_count;

static uint64_t mix(uint64_t x) { // splitmix64
  x += UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static uint16_t make_packet(uint8_t *bytes, unsigned thread, uint64_t number) {
  uint64_t random = mix(seed ^ mix(number * THREADS_MAX + thread));
  uint16_t device = random % 3 == 0;
  uint32_t flow = (uint32_t)(random >> 8) % flow_count;
  memset(bytes, 0, ROOM);
  bytes[12] = 0x08;
  bytes[14] = 0x45;
  bytes[22] = 64;
  bytes[23] = 17;
  memcpy(bytes + (device == 0 ? 26 : 30), &flow, 4);
  return device;
}
