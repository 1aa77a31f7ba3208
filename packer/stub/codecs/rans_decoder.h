// SPDX-License-Identifier: MIT
//
// The state of a rANS decoder (packer/codecs/rans_encoder.h is the other half and says what that
// is), and the words that it is fed with. What a symbol is its user knows.
#pragma once

#include <stdint.h>

#include "packer/stub/base/load_store.h"

namespace whittle::stub {

inline constexpr uint64_t kRansFirstState = uint64_t{1} << 31;

// User: the type that derives from it. Where that is in no header, a compiler sees all calls, and
// which registers they leave alone: the code around them is smaller.
template <class User>
struct RansDecoder {
  uint64_t state = 0;
  const uint8_t* at;  // of the next word
  const uint8_t* end;

  // Zeros behind the end; the final state tells.
  [[gnu::noinline]] uint32_t word() {
    if (end - at < 4) return 0;
    const uint32_t value = load32(at);
    at += 4;
    return value;
  }
  // Begins a block.
  void start() {
    state = word();
    state |= uint64_t{word()} << 32;
  }
  // Takes a symbol off the state: one that has `size` of 2^scale_bits shares, of which the state's
  // lowest bits name the one that is `rank` behind its first.
  void take(uint32_t size, uint32_t rank, uint32_t scale_bits) {
    state = size * (state >> scale_bits) + rank;
    refill();
  }
  // A number of so many bits, at most 31.
  [[gnu::noinline]] uint32_t raw(uint32_t bits) {
    const uint32_t value = static_cast<uint32_t>(state) & ((1U << bits) - 1);
    state >>= bits;
    refill();
    return value;
  }
  // Whether a block may end here.
  bool has_ended() const { return state == kRansFirstState; }

 private:
  void refill() {
    if (state < kRansFirstState) state = (state << 32) | word();
  }
};

}  // namespace whittle::stub
