// SPDX-License-Identifier: MIT
//
// Why a dynamic executable is dynamic, how new its libraries have to be, what it may load besides,
// and how to build it as a static one.
#pragma once

#include "analyzer/go_functions.h"
#include "analyzer/report.h"
#include "analyzer/symbols.h"
#include "common/elf.h"

namespace whittle::analyzer {

// `versions` and `other_versions` alone, which shared libraries have, too. Never throws on any
// content.
Linkage read_version_needs(const elf::File& file, const std::vector<Symbol>& dynamic_symbols);

// Everything but `libraries`. Never throws on any content.
Linkage describe_linkage(const elf::File& file, const BinaryReport& report,
                         const GoFunctionTable* go_functions,
                         const std::vector<Symbol>& dynamic_symbols);

}  // namespace whittle::analyzer
