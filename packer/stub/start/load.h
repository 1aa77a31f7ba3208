// SPDX-License-Identifier: MIT
//
// The way from the packed file to the original in its own memory, once the file is known to be
// whole. With codec mix this is late code (late.h).
#pragma once

#include <stdint.h>

#include "packer/stub/packed.h"

namespace whittle::stub {

// The entry code reads this structure by offset.
struct Handoff {
  uint64_t entry;
  uint64_t escape;
  uint64_t unmap_address;
  uint64_t unmap_size;
};
static_assert(sizeof(Handoff) == 32);

// `sp` is the stack as the kernel left it. Fills the structure; what is left to do is for the entry
// code.
extern "C" __attribute__((visibility("hidden"))) void whittle_load(uint64_t* sp,
                                                                   const Packed& packed,
                                                                   Handoff* handoff);

}  // namespace whittle::stub
