// SPDX-License-Identifier: MIT
//
// What the codec's model looks at before it predicts a byte.
//
// A byte of machine code means what its place in the instruction makes it mean: a ModRM byte after
// this opcode, the third byte of a call's target. So the contexts are the kind of byte to come (the
// field, x86_fields.h), the instruction so far, and the instruction before. The walk over the code,
// through copied bytes too, is a queue of the fields to come; a byte may put some in front.
//
// Everything else looks at chosen bits of the bytes before and of the byte at the last distance, by
// columns. Words of AArch64, most significant byte first, have their opcode in front; the bits are
// those of the opcode, of the registers that share a byte with what is to come, and of the opcode
// before. Bytes of any kind have their bits chosen by whoever packs: tables of numbers want the
// column and the number before, text the last bytes, noise nothing at all.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/base/x86_fields.h"
#include "packer/stub/codecs/mix_distribution.h"

namespace whittle::stub {

// Fields where an instruction or an operand starts: there a copy may start too.
inline constexpr uint64_t kStartsOperand = 1ULL << kOpcode | 1ULL << kDisp8 | 1ULL << kImm8Byte |
                                           1ULL << kDisp32 | 1ULL << kRip | 1ULL << kCall |
                                           1ULL << kImm | 1ULL << kJcc;

// What a byte in a field asks for, as a table: the walk has no branches to guess.
struct X86Table {
  X86Asks asks[kAsking + 1][256];
};

// What the bytes are taken for; the first byte of the packed stream.
enum ModelKind : uint8_t {
  kModelBytes = 0,
  kModelX86 = 1,      // after x86_to_absolute
  kModelAarch64 = 2,  // after aarch64_to_absolute, starting at a multiple of 4
};
inline constexpr uint8_t kModelKinds = 3;

// Bits of a place's number in the table of the specific contexts, at the most; 32 bytes a place.
// The table of the general ones has twice as many places.
inline constexpr uint8_t kMaxTableBits = 12;

// How a packed stream begins.
struct MixHeader {
  uint8_t model;  // a ModelKind
  // The lowest bits of a byte's position that tell its column, as a mask below 8; kModelAarch64: 3.
  uint8_t columns;
  // kModelBytes: what the contexts look at, a bit a byte: the lowest one is the byte at the last
  // distance, the next one the byte before, and so on.
  uint8_t general, specific;
  uint8_t table_bits;  // at most kMaxTableBits
};

// What the contexts look at, by the lowest bits of the position: bits of the 7 bytes before, the
// first one highest, and of the byte at the last distance, which is the lowest.
struct ContextBits {
  uint64_t general[4], specific[4];
};
inline constexpr ContextBits kAarch64Bits = {
    {0x7f00000000, 0xff00, 0xff1000, 0xff000300},
    {0xffe0000000, 0xffe00000ff00, 0xff0f00, 0x1fe1000300},
};

struct Context {
  uint32_t field;     // what is to come, below kFields
  uint32_t general;   // hash of what is looked at
  uint32_t specific;  // hash of more
};

// Hashes are short: each byte waits for those of the byte before.
inline uint32_t hash(uint64_t bytes) {
  return static_cast<uint32_t>((bytes * 0x9E3779B97F4A7C15U) >> 32);
}

// Takes a small number to bits all over a hash that it is mixed into.
inline uint32_t spread(uint32_t number) { return number * 0x85EBCA6BU; }

// Follows the bytes and gives the contexts of the next one.
struct Walker {
  const X86Table* x86;
  const ContextBits* bits;  // unless the model is kModelX86
  uint8_t model = 0;
  uint8_t columns = 0;
  uint32_t at = 0;
  uint32_t start = 0;     // of the instruction
  uint32_t key = 0;       // of the instruction so far, without operands
  uint32_t previous = 0;  // key of the instruction before
  uint64_t queue = 0;     // fields to come
  uint64_t history = 0;   // bytes before, the last one lowest

  void step(uint8_t b) {
    history = (history << 8) | b;
    at++;
#if !defined(WHITTLE_STUB) || defined(__x86_64__)  // a stub decodes code of its own machine alone
    if (model == kModelX86) {
      const uint32_t f = queue & 63;
      const X86Asks asks = x86->asks[f < kAsking ? f : uint32_t{kAsking}][b];
      queue = (queue >> 6) << (asks >> 58) | (asks & ((uint64_t{1} << 58) - 1));
      const uint32_t with = (key + b + 1) * 0x9E3779B1U;
      key = select(with, key, f >= kOperands);
      const uint32_t ends = (queue & 63) == kOpcode;
      previous = select(previous, key, ends);
      key = select(key, 0U, ends);
      start = select(start, at, ends);
    }
#endif
  }
  uint32_t field() const {
    if (model == kModelX86) return queue & 63;
    if (model == kModelAarch64) {
      const uint32_t k = at & 3;
      return k * 8 + ((static_cast<uint32_t>(history >> (k == 0 ? 24 : 8 * k - 8)) & 0xff) >> 5);
    }
    return at & columns;
  }
  // Whether a command stands here even behind a literal.
  bool command_follows() const {
    if (model == kModelX86) return (kStartsOperand >> (queue & 63) & 1) != 0;
    return model != kModelAarch64 || (at & 3) == 0;
  }
  inline __attribute__((always_inline)) Context context(uint32_t guess) const {
    Context c;
    const uint32_t field = this->field();
    c.field = field;
    if (model == kModelX86) {
      const uint32_t n = at - start;
      const uint64_t all = n >= 8 ? history : history & ((uint64_t{1} << (8 * n)) - 1);
      const uint32_t so_far = hash(all) ^ spread(field);
      // Nearly all long operands are new behind all bytes before; their own last byte says enough.
      const uint32_t rare = field >= kDisp32;
      c.general = select(so_far, hash(history & 255) ^ spread(field), rare);
      c.specific = select(so_far ^ previous, so_far, rare);
    } else {
      const uint32_t column = at & columns;
      const uint64_t all = history << 8 | guess;
      c.general = hash(all & bits->general[at & 3]) ^ spread(column);
      c.specific = hash(all & bits->specific[at & 3]) ^ spread(column);
    }
    return c;
  }
};

}  // namespace whittle::stub
