// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/riscv64_code.h"

#include "packer/stub/base/load_store.h"

namespace whittle::stub {
namespace {

constexpr uint32_t kHighBits = 0xfffff000;  // the immediate of a U-type or J-type instruction
// Opcode and destination register.
constexpr uint32_t kJalMask = 0xfff, kJalRa = 0x0ef;
constexpr uint32_t kOpcodeMask = 0x7f, kAuipc = 0x17;

inline uint32_t field(uint32_t word, unsigned from, unsigned width) {
  return word >> from & ((uint32_t{1} << width) - 1);
}

// The distance of a jal, halved: 20 bits, which the instruction holds as imm[20|10:1|11|19:12].
inline uint32_t jal_distance(uint32_t word) {
  return field(word, 31, 1) << 19 | field(word, 12, 8) << 11 | field(word, 20, 1) << 10 |
         field(word, 21, 10);
}
inline uint32_t with_jal_distance(uint32_t word, uint32_t half) {
  return (word & ~kHighBits) | field(half, 19, 1) << 31 | field(half, 0, 10) << 21 |
         field(half, 10, 1) << 20 | field(half, 11, 8) << 12;
}

enum class Half { none, load_like, store_like };

// Whether `word` is the second half of a pair whose auipc writes `base`. The lower 12 bits of the
// address stand in one piece in what loads, adds or jumps (I-type), in two in what stores (S-type).
inline Half second_half(uint32_t word, uint32_t base) {
  if (field(word, 15, 5) != base) return Half::none;
  switch (word & kOpcodeMask) {
    case 0x03:  // loads
    case 0x07:  // floating-point loads
    case 0x67:  // jalr
      return Half::load_like;
    case 0x13:
      return field(word, 12, 3) == 0 ? Half::load_like : Half::none;  // addi
    case 0x23:                                                        // stores
    case 0x27:                                                        // floating-point stores
      return Half::store_like;
  }
  return Half::none;
}
inline uint32_t low_bits_of(uint32_t word, Half half) {
  return half == Half::load_like ? word >> 20 : field(word, 25, 7) << 5 | field(word, 7, 5);
}
inline uint32_t with_low_bits(uint32_t word, Half half, uint32_t low) {
  if (half == Half::load_like) return (word & 0xfffff) | low << 20;
  return (word & 0x01fff07f) | field(low, 5, 7) << 25 | field(low, 0, 5) << 7;
}

// The walk that both directions share.
template <bool to_absolute>
inline void walk(uint8_t* code, size_t size, uint64_t address) {
  size_t at = 0;
  while (size - at >= 8) {
    uint8_t* const p = code + at;
    const auto here = static_cast<uint32_t>(address + at);
    if ((*p & 3) != 3) {
      at += 2;
      continue;
    }
    at += 4;
    const uint32_t word = load32_even(p);
    if ((word & kJalMask) == kJalRa) {
      if (to_absolute) {
        store32_even(p, (word & ~kHighBits) | (jal_distance(word) + (here >> 1)) << 12);
      } else {
        store32_even(p, with_jal_distance(word, (word >> 12) - (here >> 1)));
      }
    } else if ((word & kOpcodeMask) == kAuipc) {
      const uint32_t next = load32_even(p + 4);
      const Half half = second_half(next, field(word, 7, 5));
      if (half == Half::none) continue;
      uint32_t high = word & kHighBits, low = low_bits_of(next, half);
      if (to_absolute) {
        const uint32_t target = high + low - ((low & 0x800) << 1) + here;
        high = target & kHighBits;
        low = target & ~kHighBits;
      } else {
        const uint32_t distance = (high | low) - here;
        low = distance & ~kHighBits;
        high = (distance + 0x800) & kHighBits;
      }
      store32_even(p, (word & ~kHighBits) | high);
      store32_even(p + 4, with_low_bits(next, half, low));
      at += 4;
    }
  }
}

}  // namespace

void riscv64_to_absolute(uint8_t* code, size_t size, uint64_t address) {
  walk<true>(code, size, address);
}

void riscv64_to_relative(uint8_t* code, size_t size, uint64_t address) {
  walk<false>(code, size, address);
}

}  // namespace whittle::stub
