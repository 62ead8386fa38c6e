// In place of main_sequential.h behind an NF: lets stress.h call it.
int replay_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now);
bool replay_init(int64_t lag, uint32_t capacity);

int replay_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now) {
  maestro_packet_begin(length);
  return flows_process(device, buffer, length, now);
}

bool replay_init(int64_t lag, uint32_t capacity) {
  (void)nf_config_init;
  config.lag = lag;
  config.capacity = capacity;
  return nf_init();
}
