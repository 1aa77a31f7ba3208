// SPDX-License-Identifier: MIT
//
// The decoded bytes of one part of a region, as transforms that join several streams take them.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

struct StreamView {
  const uint8_t* data;
  size_t size;  // bytes
};

// Parts that one region can have.
inline constexpr size_t kMaxParts = 40;

}  // namespace whittle::stub
