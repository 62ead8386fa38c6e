#pragma once
#include <stdint.h>
uint32_t rte_hash_crc_1byte(uint8_t data, uint32_t init);
uint32_t rte_hash_crc_2byte(uint16_t data, uint32_t init);
uint32_t rte_hash_crc_4byte(uint32_t data, uint32_t init);
uint32_t rte_hash_crc_8byte(uint64_t data, uint32_t init);
uint32_t rte_hash_crc(const void *data, uint32_t length, uint32_t init);
