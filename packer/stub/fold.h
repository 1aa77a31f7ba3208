// SPDX-License-Identifier: MIT
//
// How a stub lies in a packed file: its first functions as they run (entry, unfold.cc and what that
// calls), then a FoldHeader, then all other functions packed by the codec of lz_decoder.h, to which
// the first ones are known; then zeros up to a multiple of 16. At run time the stub makes itself
// anew in memory of its own: `whittle_folded` names the end of its first functions in either form.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

struct FoldHeader {
  uint32_t size;    // of the packed stream behind it, bytes
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
