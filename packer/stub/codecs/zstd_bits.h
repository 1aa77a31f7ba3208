// SPDX-License-Identifier: MIT
//
// Bytes and bits as a Zstandard frame stores them.
//
// What describes data (headers, sizes, tables) is read forwards: `Input` is what is left of it. The
// coded data itself is a *bitstream*, read backwards from its last byte to its first. The reason is
// FSE, which gives symbols back in the reverse of the order it was given them: the encoder starts
// with the last symbol and writes forwards, so that a decoder reading backwards meets the first one
// first. A mark, the highest bit set in the last byte, says where to start. Nothing marks the other
// end; a stream is sound if no bits are left when all symbols are there.
//
// `BitReader` keeps 64 bits of the stream at hand and replaces them by one unaligned load whose
// address moves by whole bytes. Shifting in single bytes would need no care about bounds, but a
// loop and a branch for each field.
//
// Bounds: whoever takes bytes from an `Input` compares with its size first. A backward reader
// always loads eight bytes that end where its bits end, so it may touch up to eight bytes *before*
// its stream: they are there, because frame and block header (at least nine bytes) come before any
// stream. What an overrun reads is garbage inside of the source, and it is noticed, because at the
// end exactly zero bits must be left.
//
// Terms and section numbers, here and in all files of the decoder, are those of RFC 8878.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/base/load_store.h"

namespace whittle::stub {

// Position of the highest bit that is set; `value` is not zero.
inline int highest_bit(uint32_t value) { return 31 - __builtin_clz(value); }

inline uint64_t low_bits(uint64_t value, unsigned count) {
  return value & ((uint64_t{1} << count) - 1);
}

// Copies that touch nothing but their bytes. The areas do not overlap.
[[gnu::noinline]] inline void copy_exact(uint8_t* dst, const uint8_t* src, size_t size) {
  for (; size >= 16; size -= 16, dst += 16, src += 16) copy16(dst, src);
  for (; size != 0; --size) *dst++ = *src++;
}

[[gnu::noinline]] inline void fill_exact(uint8_t* dst, uint8_t byte, size_t size) {
  const uint64_t pattern = byte * uint64_t{0x0101010101010101};
  for (; size >= 8; size -= 8, dst += 8) store64(dst, pattern);
  for (; size != 0; --size) *dst++ = byte;
}

// Bytes not yet parsed. Sections are taken from the front, after a comparison with `size()`.
struct Input {
  const uint8_t* begin;
  const uint8_t* end;

  size_t size() const { return static_cast<size_t>(end - begin); }
};

// Reads bits from the end of a byte array to its start. The eight bytes at `base + position` are in
// `window`; `used` bits at its top are spent. `position` may go down to -8 (see "Bounds" above).
struct BitReader {
  const uint8_t* base;
  ptrdiff_t position;
  uint64_t window;
  unsigned used;

  // The last byte's highest set bit marks where the bits end (4.1). False if there is none.
  bool open(Input in) {
    if (in.size() == 0 || in.end[-1] == 0) return false;
    base = in.begin;
    position = in.end - in.begin - 8;
    used = static_cast<unsigned>(8 - highest_bit(in.end[-1]));
    window = load64(base + position);
    return true;
  }

  // Makes at least 57 bits available. False if more bits were read than there are, by at least a
  // byte.
  bool refill() {
    position -= used >> 3;
    used &= 7;
    if (position < -8) return false;
    window = load64(base + position);
    return true;
  }

  uint64_t take(unsigned count) {
    const uint64_t value = (window << used) >> 1 >> (~count & 63);
    used += count;
    return value;
  }

  ptrdiff_t bits_left() const { return (position + 8) * 8 - static_cast<ptrdiff_t>(used); }
};

}  // namespace whittle::stub
