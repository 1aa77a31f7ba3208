// SPDX-License-Identifier: MIT
//
// The end of a packed program that cannot start: one line on standard error and an exit status of
// packer/format.h.
#pragma once

#include <stdint.h>

namespace whittle::stub {

inline constexpr const char* kDamaged = "the file is damaged; get it again";
inline constexpr const char* kNoMemory = "no memory to unpack into";
inline constexpr const char* kForbidden = "the system forbids unpacked code; run the original";

// `sp` is the stack as the kernel left it, which begins with argc and argv.
[[noreturn]] void die(const uint64_t* sp, int status, const char* reason);

}  // namespace whittle::stub
