// SPDX-License-Identifier: MIT
//
// How a stub is stored ("folded") in a packed file: its first functions in executable form (entry,
// unfold.cc and what that calls), then a FoldHeader, then all other functions except for late code
// (late.h), packed with the codec of lz_decoder.h, which may copy from the first ones; then zeros
// up to a multiple of 16. At run time the stub unpacks itself into memory of its own.
// `whittle_folded` is the end of the first functions in either form.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

struct FoldHeader {
  uint32_t size;    // of the packed stream that follows, bytes
  uint32_t digest;  // of the packed stream
};
static_assert(sizeof(FoldHeader) == 8);

// 32-bit FNV-1a (draft-eastlake-fnv): the least code that finds damage.
inline uint32_t fold_digest(const uint8_t* data, size_t size) {
  uint32_t digest = 0x811c9dc5;
  for (size_t i = 0; i < size; i++) digest = (digest ^ data[i]) * 0x01000193;
  return digest;
}

}  // namespace whittle::stub
