// SPDX-License-Identifier: MIT
//
// How much memory a packed program needs to start.
#pragma once

#include <cstdint>

#include "packer/container/reader.h"

namespace whittle::packer {

// Bytes of private memory in use when the program begins to run, or before that, roughly: what a
// memory limit (a control group's, `docker run --memory`) has to allow besides what the program
// itself uses. The payload is not counted, because its pages are those of the file, which the
// system can take back. Address space (RLIMIT_AS) is another matter and larger.
std::uint64_t start_memory_of(const PackedView& view);

}  // namespace whittle::packer
