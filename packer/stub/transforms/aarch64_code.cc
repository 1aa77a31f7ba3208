// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/aarch64_code.h"

#include "packer/stub/base/load_store.h"

namespace whittle::stub {
namespace {

// bl: opcode, 26 bits of distance in words.
constexpr uint32_t kBlMask = 0xfc000000, kBl = 0x94000000;
// adrp: 1, 2 low bits of the distance in pages, 10000, its 19 high bits, 5 bits of register.
constexpr uint32_t kAdrpMask = 0x9f000000, kAdrp = 0x90000000, kAdrpKept = 0x9f00001f;

// The two bits of an adrp that stand apart, and the 19 others.
inline uint32_t apart_of(uint32_t adrp) { return adrp >> 29 & 3; }
inline uint32_t others_of(uint32_t adrp) { return adrp >> 5 & 0x7ffff; }
inline uint32_t with_bits(uint32_t adrp, uint32_t apart, uint32_t others) {
  return (adrp & kAdrpKept) | apart << 29 | others << 5;
}

// The walk that both directions share.
template <bool to_absolute>
inline void walk(uint8_t* code, size_t size, uint64_t address) {
  for (size_t at = 0; size - at >= 4; at += 4) {
    uint32_t word = load32(code + at);
    if (!to_absolute) word = __builtin_bswap32(word);
    if ((word & kBlMask) == kBl) {
      const uint32_t here = static_cast<uint32_t>((address + at) >> 2);
      const uint32_t value = to_absolute ? word + here : word - here;
      word = kBl | (value & ~kBlMask);
    } else if ((word & kAdrpMask) == kAdrp) {
      const uint32_t here = static_cast<uint32_t>((address + at) >> 12);
      if (to_absolute) {
        const uint32_t page = (others_of(word) << 2 | apart_of(word)) + here;
        word = with_bits(word, page >> 19 & 3, page & 0x7ffff);
      } else {
        const uint32_t distance = (apart_of(word) << 19 | others_of(word)) - here;
        word = with_bits(word, distance & 3, distance >> 2 & 0x7ffff);
      }
    }
    if (to_absolute) word = __builtin_bswap32(word);
    store32(code + at, word);
  }
}

}  // namespace

void aarch64_to_absolute(uint8_t* code, size_t size, uint64_t address) {
  walk<true>(code, size, address);
}

void aarch64_to_relative(uint8_t* code, size_t size, uint64_t address) {
  walk<false>(code, size, address);
}

}  // namespace whittle::stub
