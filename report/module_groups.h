// SPDX-License-Identifier: MIT
//
// Go modules and Rust crates as tables and lists show them: by the way they were found.
#pragma once

#include <string>
#include <vector>

#include "analyzer/report.h"

namespace whittle::report {

struct ModuleGroup {
  std::string title;               // "57 crates (.dep-v0)"
  std::vector<std::string> names;  // "serde 1.0.2", safe to print
};

std::vector<ModuleGroup> module_groups(const analyzer::Toolchain& toolchain);

}  // namespace whittle::report
