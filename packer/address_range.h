// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace whittle::packer {

// Link-time virtual addresses [address, address + size).
struct AddressRange {
  std::uint64_t address = 0, size = 0;
};

}  // namespace whittle::packer
