#pragma once
#define _mm_crc32_u8(crc, value) __builtin_ia32_crc32qi(crc, value)
#define _mm_crc32_u16(crc, value) __builtin_ia32_crc32hi(crc, value)
#define _mm_crc32_u32(crc, value) __builtin_ia32_crc32si(crc, value)
#define _mm_crc32_u64(crc, value) __builtin_ia32_crc32di(crc, value)
