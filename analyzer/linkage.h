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

// Everything but `libraries`. Never throws on any content.
Linkage describe_linkage(const elf::File& file, const BinaryReport& report,
                         const GoFunctionTable* go_functions,
                         const std::vector<Symbol>& dynamic_symbols);

// -1, 0 or 1 as the numbers in `a` and `b`, "2.9" and "2.34", compare part by part.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace whittle::analyzer
