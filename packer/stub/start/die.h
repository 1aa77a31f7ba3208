// SPDX-License-Identifier: MIT
//
// The end of a packed program that cannot start: one line on standard error and an exit status of
// packer/format.h.
#pragma once

#include <stdint.h>

#include "packer/format.h"

namespace whittle::stub {

// `sp` is the stack as the kernel left it, which begins with argc and argv.
[[noreturn]] void die(const uint64_t* sp, packer::StubExit status);

}  // namespace whittle::stub
