// SPDX-License-Identifier: MIT
//
// One expansion on several processors: the stub's own threads, gone without a trace before the
// original program begins.
#pragma once

#include "packer/stub/expand.h"

namespace whittle::stub {

// Expands `packed` to `image`, with as many threads as there are processors to run on and the
// payload is worth; with fewer, down to none, where the system refuses them (limits on processes or
// memory, system call filters). `no_memory` where there is not even enough for one.
enum class WorkersStatus { ok, damaged, no_memory };
WorkersStatus expand_with_workers(const Packed& packed, uint8_t* image, uint64_t image_size);

}  // namespace whittle::stub
