// SPDX-License-Identifier: MIT
//
// Little-endian numbers in memory, on machines that are little-endian all: wherever they stand, or
// (…_aligned) at a multiple of their size, or (…_even) of 2.
//
// The difference matters on riscv64, which has no unaligned access to rely on: there the compiler
// goes byte by byte unless it knows better.
#pragma once

#include <stdint.h>

namespace whittle::stub {

inline uint16_t load16(const void* from) {
  uint16_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline uint32_t load32(const void* from) {
  uint32_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline uint64_t load64(const void* from) {
  uint64_t value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline void store32(void* to, uint32_t value) { __builtin_memcpy(to, &value, sizeof value); }
inline void store64(void* to, uint64_t value) { __builtin_memcpy(to, &value, sizeof value); }

// Not by way of the others: inlined, they would have forgotten it.
inline uint32_t load32_even(const void* from) {
  uint32_t value;
  __builtin_memcpy(&value, __builtin_assume_aligned(from, 2), sizeof value);
  return value;
}
inline uint32_t load32_aligned(const void* from) {
  uint32_t value;
  __builtin_memcpy(&value, __builtin_assume_aligned(from, 4), sizeof value);
  return value;
}
inline uint64_t load64_aligned(const void* from) {
  uint64_t value;
  __builtin_memcpy(&value, __builtin_assume_aligned(from, 8), sizeof value);
  return value;
}
inline void store32_even(void* to, uint32_t value) {
  __builtin_memcpy(__builtin_assume_aligned(to, 2), &value, sizeof value);
}
inline void store32_aligned(void* to, uint32_t value) {
  __builtin_memcpy(__builtin_assume_aligned(to, 4), &value, sizeof value);
}
inline void store64_aligned(void* to, uint64_t value) {
  __builtin_memcpy(__builtin_assume_aligned(to, 8), &value, sizeof value);
}

#if defined(__riscv)  // byte by byte, once and for all callers
inline constexpr bool kHasUnaligned = false;
[[gnu::noinline]] inline void copy16(uint8_t* to, const uint8_t* from) {
  __builtin_memcpy(to, from, 8);
  __builtin_memcpy(to + 8, from + 8, 8);
}
#else
inline constexpr bool kHasUnaligned = true;
inline void copy16(uint8_t* to, const uint8_t* from) { __builtin_memcpy(to, from, 16); }
#endif

}  // namespace whittle::stub
