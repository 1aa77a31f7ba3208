// SPDX-License-Identifier: MIT
//
// The run-time stubs, built from packer/stub/ for every machine that can be packed for.
#pragma once

#include <cstdint>

#include "common/bytes.h"

namespace whittle::packer {

struct Stub {
  std::uint16_t machine = 0;    // ELF e_machine
  std::uint64_t page_size = 0;  // the largest page size of this machine, bytes
  std::uint32_t transform = 0;  // kTransform… for its code, the one that its stub can undo
  ByteView code;
};

// The stub for a machine, or null where there is none.
const Stub* find_stub(std::uint16_t machine);

}  // namespace whittle::packer
