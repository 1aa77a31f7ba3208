// SPDX-License-Identifier: MIT
//
// The block functions that a compiler may call for any code, freestanding or not. Compiled with
// -fno-tree-loop-distribute-patterns, lest it turns these loops into calls of themselves.
#include <stddef.h>
#include <stdint.h>

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, size_t size) {
  auto* d = static_cast<uint8_t*>(to);
  const auto* s = static_cast<const uint8_t*>(from);
  for (; size >= 8; size -= 8, d += 8, s += 8) {
    uint64_t word;
    __builtin_memcpy(&word, s, 8);
    __builtin_memcpy(d, &word, 8);
  }
  for (; size != 0; size--) *d++ = *s++;
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto* d = static_cast<uint8_t*>(to);
  const auto* s = static_cast<const uint8_t*>(from);
  if (d <= s) {
    for (; size != 0; size--) *d++ = *s++;
  } else {
    while (size-- != 0) d[size] = s[size];
  }
  return to;
}

void* memset(void* to, int value, size_t size) {
  auto* d = static_cast<uint8_t*>(to);
  for (; size != 0; size--) *d++ = static_cast<uint8_t>(value);
  return to;
}

}  // extern "C"
