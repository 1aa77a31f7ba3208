// SPDX-License-Identifier: MIT
//
// The machine-code transform must come back exactly, in either order, for any bytes at any address.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/stub/transforms/aarch64_code.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint64_t address = size != 0 ? data[0] * std::uint64_t{0x01010101} : 0;
  const std::vector<std::uint8_t> original(data, data + size);
  std::vector<std::uint8_t> code = original;
  whittle::stub::aarch64_to_absolute(code.data(), code.size(), address);
  whittle::stub::aarch64_to_relative(code.data(), code.size(), address);
  if (code != original) __builtin_trap();
  whittle::stub::aarch64_to_relative(code.data(), code.size(), address);
  whittle::stub::aarch64_to_absolute(code.data(), code.size(), address);
  if (code != original) __builtin_trap();
  return 0;
}
