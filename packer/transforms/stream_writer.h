// SPDX-License-Identifier: MIT
//
// Appends to a stream what stub/transforms/source.h takes off its front: varints, signed ones,
// plain bytes.
#pragma once

#include <cstdint>

#include "common/bytes.h"
#include "packer/stub/base/zigzag.h"

namespace whittle::packer {

inline void put_number(Bytes& to, std::uint64_t value) {
  for (; value >= 128; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 128));
  to.push_back(static_cast<std::uint8_t>(value));
}
inline void put_signed(Bytes& to, std::int64_t value) {
  put_number(to, stub::zigzag(static_cast<std::uint64_t>(value)));
}
inline void put_bytes(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace whittle::packer
