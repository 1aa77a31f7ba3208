// SPDX-License-Identifier: MIT
//
// Ranges of a program, in memory and in its file.
#pragma once

#include <cstdint>

namespace whittle::packer {

// Link-time virtual addresses [address, address + size).
struct AddressRange {
  std::uint64_t address = 0, size = 0;
};

// Bytes [offset, offset + size) of a file.
struct FileRange {
  std::uint64_t offset = 0, size = 0;
};

}  // namespace whittle::packer
