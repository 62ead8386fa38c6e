// The main loop of generated programs around an NF's own sources, which are compiled and linked as they are: so that the two differ
// in nf_process and what it calls, and not in how packets are received. Without RSS, two devices, the fixtures' conventions.
#include "maestro/dpdk.h"

#include "maestro/nf_sequential.h"

#include "maestro/borrow.h"

#include "libvig/verified/vigor-time.h"

// What the sources' own main loop does for each packet. The names are taken here by the runtime's.
void own_total_length(void *p, uint32_t *length) __asm__("packet_state_total_length");
void own_return_chunk(void *p, void *chunk) __asm__("packet_return_chunk");
extern void *chunks_borrowed[];
extern size_t chunks_borrowed_num;
int own_process(uint16_t device, uint8_t *buffer, uint16_t length, vigor_time_t now) __asm__("nf_process");
void nf_config_init(int argc, char **argv);
bool nf_init(void);

// The sources are compiled with -Drte_eth_dev_count_avail=own_device_count: DPDK's own costs more than some NFs.
uint16_t own_device_count(void);
uint16_t own_device_count(void) {
  return maestro_device_count();
}

static inline int nf_process_with_chunks(uint16_t device, uint8_t *buffer, uint16_t length, vigor_time_t now) {
  uint32_t total = length;
  own_total_length(buffer, &total);
  int output = own_process(device, buffer, length, now);
  while (chunks_borrowed_num > 0) {
    own_return_chunk(buffer, chunks_borrowed[--chunks_borrowed_num]);
  }
  return output;
}

#define nf_process nf_process_with_chunks
#define MAESTRO_DROPS(output, device) ((output) == (device))
#define MAESTRO_FLOODS(output, device) ((output) == 0xffff)
#define MAESTRO_NF_DEVICES 2
#include "maestro/main_sequential.h"
