// SPDX-License-Identifier: MIT
//
// The second half of a stub with codec mix: all that is not needed to decode that codec. The codec
// packs code of x86-64 a tenth smaller than the fold does (fold.h). So this code travels in the
// payload, as the first stream (kStreamStub), with the transform of its machine's code, and is
// decoded before all other streams.
//
// In memory it lies behind the first half, from a new page on, and begins with whittle_load
// (load.h). The first half refers to nothing in it but that beginning: the linker sees to it
// (stub.ld.in).
#pragma once

#include <stdint.h>

#include "packer/stub/packed.h"

namespace whittle::stub {

// Before it is transformed the code counts its addresses from here.
inline constexpr uint64_t kLateAddress = 0;

extern "C" {
__attribute__((visibility("hidden"))) extern const uint8_t whittle_late[];
}

// Makes it and returns, or ends the program. `sp` is the stack as the kernel left it.
void make_late_code(const uint64_t* sp, const Packed& packed);

}  // namespace whittle::stub
