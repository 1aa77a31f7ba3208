// SPDX-License-Identifier: MIT
//
// Signed numbers as unsigned ones of which small ones stay small: 0, -1, 1, -2 … become 0, 1, 2,
// 3 …. Both sides are unsigned integers of one width, differences that wrap.
#pragma once

#include <stdint.h>

namespace whittle::stub {

template <typename Unsigned>
constexpr Unsigned zigzag(Unsigned difference) {
  return difference << 1 ^ (Unsigned{0} - (difference >> (8 * sizeof difference - 1)));
}
template <typename Unsigned>
constexpr Unsigned unzigzag(Unsigned value) {
  return value >> 1 ^ (Unsigned{0} - (value & 1));
}
static_assert(zigzag(~uint32_t{0}) == 1 && zigzag(uint64_t{1}) == 2);
static_assert(unzigzag(uint64_t{1}) == ~uint64_t{0} && unzigzag(uint32_t{2}) == 1);

}  // namespace whittle::stub
