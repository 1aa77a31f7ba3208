// SPDX-License-Identifier: MIT
//
// What a program may need of the system around it: the matcher of need_rules.h.
#pragma once

#include <vector>

#include "analyzer/go_functions.h"
#include "analyzer/report.h"
#include "analyzer/symbols.h"
#include "common/elf.h"

namespace whittle::analyzer {

// What of a program the rules look at.
struct NeedSigns {
  const elf::File& file;
  const Toolchain& toolchain;
  bool dynamic = false;                           // functions may come from shared libraries
  const GoFunctionTable* go_functions = nullptr;  // null where there is none
  const std::vector<Symbol>& symbols;             // .symtab
  const std::vector<Symbol>& dynamic_symbols;
};

// By id. Each need lists at most eight pieces of evidence, the strongest first. Never throws on any
// content.
std::vector<Need> find_needs(const NeedSigns& signs);

// True where `*` in `pattern` can stand for something that makes it `name`.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace whittle::analyzer
