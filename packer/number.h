// SPDX-License-Identifier: MIT
//
// Writes what stub/source.h reads.
#pragma once

#include <cstdint>

#include "common/bytes.h"

namespace whittle::packer {

inline void put_number(Bytes& to, std::uint64_t value) {
  for (; value >= 128; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 128));
  to.push_back(static_cast<std::uint8_t>(value));
}
inline void put_signed(Bytes& to, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  put_number(to, bits << 1 ^ (0 - (bits >> 63)));
}
inline void put_bytes(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace whittle::packer
