// SPDX-License-Identifier: MIT
//
// The transform of x86-64 code, as tests of transforms take it.
#pragma once

#include "packer/stub/transforms/x86_code.h"
#include "tests/unit/packer/transforms/transform_properties.h"

namespace whittle::test {

inline void x86_to_relative(std::uint8_t* code, std::size_t size, std::uint64_t address) {
  static stub::X86Workspace workspace;
  stub::x86_to_relative(code, size, address, workspace);
}

inline constexpr CodeTransform kX86 = {stub::x86_to_absolute, x86_to_relative, 0x1000};

}  // namespace whittle::test
