// SPDX-License-Identifier: MIT
//
// XXH64, the 64-bit non-cryptographic digest of the xxHash family: it runs at memory speed, which
// is what lets a packed program check its payload at every start. It finds damage, not forgery; the
// SHA-256 in the header is for that. Reference: xxHash fast digest algorithm, specification 0.1.1.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/base/load_store.h"

namespace whittle::stub {

// Aligned: `p` is a multiple of 8.
template <bool kAligned = false>
inline uint64_t xxh64(const uint8_t* p, size_t size, uint64_t seed) {
  constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87, kPrime2 = 0xC2B2AE3D27D4EB4F,
                     kPrime3 = 0x165667B19E3779F9, kPrime4 = 0x85EBCA77C2B2AE63,
                     kPrime5 = 0x27D4EB2F165667C5;
  const auto rotate = [](uint64_t x, int r) { return x << r | x >> (64 - r); };
  const auto round = [&](uint64_t lane, uint64_t input) {
    return rotate(lane + input * kPrime2, 31) * kPrime1;
  };
  const auto load = [](const uint8_t* from) {
    return kAligned ? load64_aligned(from) : load64(from);
  };
  const uint8_t* const end = p + size;
  uint64_t hash;
  if (size >= 32) {
    uint64_t lane1 = seed + kPrime1 + kPrime2, lane2 = seed + kPrime2, lane3 = seed,
             lane4 = seed - kPrime1;
    do {
      lane1 = round(lane1, load(p));
      lane2 = round(lane2, load(p + 8));
      lane3 = round(lane3, load(p + 16));
      lane4 = round(lane4, load(p + 24));
      p += 32;
    } while (end - p >= 32);
    hash = rotate(lane1, 1) + rotate(lane2, 7) + rotate(lane3, 12) + rotate(lane4, 18);
    const uint64_t lanes[4] = {lane1, lane2, lane3, lane4};
    for (const uint64_t lane : lanes) hash = (hash ^ round(0, lane)) * kPrime1 + kPrime4;
  } else {
    hash = seed + kPrime5;
  }
  hash += size;
  for (; end - p >= 8; p += 8) {
    hash = rotate(hash ^ round(0, load(p)), 27) * kPrime1 + kPrime4;
  }
  if (end - p >= 4) {
    hash =
        rotate(hash ^ (kAligned ? load32_aligned(p) : load32(p)) * kPrime1, 23) * kPrime2 + kPrime3;
    p += 4;
  }
  for (; p < end; p++) hash = rotate(hash ^ *p * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

}  // namespace whittle::stub
