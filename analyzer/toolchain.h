// SPDX-License-Identifier: MIT
//
// Which compiler and which C library a program comes from.
#pragma once

#include "analyzer/report.h"
#include "common/elf.h"

namespace whittle::analyzer {

// Adds to `warnings` what is there but cannot be read. Fields stay empty where nothing tells. Never
// throws on any content that elf::File took, apart from what `elf::File::notes` may throw.
Toolchain detect_toolchain(const elf::File& file, const std::string& interpreter,
                           const std::vector<std::string>& needed,
                           std::vector<std::string>& warnings);

}  // namespace whittle::analyzer
