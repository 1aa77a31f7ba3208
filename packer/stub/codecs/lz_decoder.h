// SPDX-License-Identifier: MIT
//
// The codec that stubs themselves are kept in: LZ77 whose numbers are Elias gamma codes. It is the
// least decoder that makes machine code a third smaller, and takes 0.1 ms for a whole stub; LZMA
// would make it at most 4 % smaller than that, by a larger decoder, and take ten times as long.
//
// A packed stream is bytes and bits. Bits come from bytes, highest bit first; a byte of bits is
// taken from the stream when the first of its bits is wanted, so that bytes may stand between.
//
//     number    while a 1 bit follows: one more bit of the number, after its leading 1; a 0 bit
//     ends stream    elements, until the output is full; of an element
//       1 bit   0: literals, a number of them, as bytes; then, unless the output is full, 1 bit:
//                  0: match of a number of bytes, as far back as the last match (at first: 1 unit)
//                  1: match, as follows
//               1: match: distance - 1 is (number - 1) * 256 + a byte; length is a number + 1
//
// A match copies from that far back in the output, or in the bytes before it. Distances count
// units: of as many bytes as what every instruction's size is a multiple of.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

class LzSource {
 public:
  explicit LzSource(const uint8_t* at) : at_(at) {}

  uint32_t byte() { return *at_++; }
  uint32_t bit() {
    bits_ <<= 1;
    if ((bits_ & 0xff) == 0) bits_ = byte() << 1 | 1;  // the 1 after the last bit tells where it is
    return bits_ >> 8 & 1;
  }
  uint32_t number() {
    uint32_t value = 1;
    while (bit() != 0) value = value << 1 | bit();
    return value;
  }

 private:
  const uint8_t* at_;
  uint32_t bits_ = 0x80;
};

// Fills [out, end) from a stream that is known to be what the encoder wrote for it, with this unit:
// nothing is checked. Bytes known to the encoder are before `out`.
inline void lz_decode(const uint8_t* packed, uint8_t* out, const uint8_t* end, uint32_t unit) {
  LzSource source(packed);
  uint32_t distance = unit;
  while (out != end) {
    uint32_t length = 0;
    if (source.bit() == 0) {
      for (uint32_t n = source.number(); n != 0; n--) *out++ = static_cast<uint8_t>(source.byte());
      if (out == end) return;
      if (source.bit() == 0) length = source.number();
    }
    if (length == 0) {
      const uint32_t high = source.number() - 1;
      distance = ((high << 8 | source.byte()) + 1) * unit;
      length = source.number() + 1;
    }
    for (; length != 0; length--, out++) *out = *(out - distance);
  }
}

}  // namespace whittle::stub
