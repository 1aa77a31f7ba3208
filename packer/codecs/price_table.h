// SPDX-License-Identifier: MIT
//
// What symbols cost, by their shares: the unit and the table of both codecs of level `small`.
#pragma once

#include <cstdint>

#include "packer/stub/codecs/mix_distribution.h"

namespace whittle::packer {

inline constexpr std::uint32_t kPriceOne = 256;  // of one bit

// The prices of all shares of stub::kScale, rounded: (15 - log2(share)) * kPriceOne. Made of
// integers, when this is compiled, so that neither a library nor a processor has a say in what is
// packed.
//
// Prices are whole numbers and fall as shares grow, so within an octave it is enough to know where
// each price ends: price n goes up to the share 2^15 * 2^-((n - 1/2) / 256). The first of these
// bounds and the step to the next one are powers of 2^(-1/512). Half of a share costs a bit more.
struct PriceTable {
  std::uint16_t of[stub::kScale + 1] = {};

  constexpr PriceTable() {
    constexpr std::uint64_t kRoot = 0xffa75652;  // 2^(-1/512), of 2^32
    const auto times_root = [](std::uint64_t value) { return (value * kRoot + (1U << 31)) >> 32; };
    std::uint64_t bound = times_root(std::uint64_t{stub::kScale} << 16);  // 16 bits of fraction
    std::uint32_t price = 0;
    for (std::uint32_t share = stub::kScale; share > stub::kScale / 2; share--) {
      for (; std::uint64_t{share} << 16 <= bound; price++) bound = times_root(times_root(bound));
      of[share] = static_cast<std::uint16_t>(price);
    }
    for (std::uint32_t share = stub::kScale / 2; share > 0; share--) {
      of[share] = static_cast<std::uint16_t>(of[2 * share] + kPriceOne);
    }
    of[0] = 16 * kPriceOne;  // no symbol has none
  }
};
inline constexpr PriceTable kPrice;
static_assert(kPrice.of[stub::kScale] == 0 && kPrice.of[1] == stub::kScaleBits * kPriceOne);

}  // namespace whittle::packer
