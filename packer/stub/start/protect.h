// SPDX-License-Identifier: MIT
//
// Gives written memory its protection, even if the system does not allow it directly.
//
// Systems that forbid making written memory executable (PR_SET_MDWE, systemd's
// MemoryDenyWriteExecute, SELinux execmem) refuse mprotect. Then, and only then, the bytes go
// through a memfd that is mapped instead: slower, since it copies, and visible as a file mapping.
#pragma once

#include <stdint.h>

namespace whittle::stub {

// [begin, end), of whole pages or the beginning of a page on, gets `protection` (kProt…) and
// `guard` (PackSegment's; left out where the processor does not know it), and is executed as
// written. False where the system allows neither way.
bool protect(uint64_t begin, uint64_t end, int protection, uint32_t guard);

}  // namespace whittle::stub
