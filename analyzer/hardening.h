// SPDX-License-Identifier: MIT
#pragma once

#include "analyzer/report.h"
#include "analyzer/symbols.h"
#include "common/elf.h"

namespace whittle::analyzer {

struct HardeningSigns {
  const elf::File& file;
  Kind kind = Kind::not_elf;
  const Toolchain& toolchain;
  const std::vector<Symbol>& symbols;
  const std::vector<Symbol>& dynamic_symbols;
};

// For executables and shared libraries. Never throws on any content.
Hardening find_hardening(const HardeningSigns& signs);

}  // namespace whittle::analyzer
