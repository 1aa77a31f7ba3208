// SPDX-License-Identifier: MIT
//
// One expansion on several processors: the stub's own threads, which have left without a trace
// before the original program begins.
#pragma once

#include "packer/stub/expand.h"

namespace whittle::stub {

// Expands `packed` to `image`, with as many threads as the payload is worth and there are
// processors to run on, or fewer, down to none, if the system refuses them (limits on processes or
// memory, system call filters). `no_memory` if there is not even enough memory for one.
enum class WorkersStatus { ok, damaged, no_memory };
WorkersStatus expand_with_workers(const Packed& packed, uint8_t* image, uint64_t image_size);

}  // namespace whittle::stub
