// SPDX-License-Identifier: MIT
#include "report/module_groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "report/text_table.h"

namespace whittle::report {

std::vector<ModuleGroup> module_groups(const analyzer::Toolchain& toolchain) {
  const std::string_view noun = toolchain.language == "Rust" ? "crate" : "module";
  std::vector<ModuleGroup> groups;
  const auto& modules = toolchain.modules;
  for (auto at = modules.begin(); at != modules.end();) {
    const auto end = std::find_if(at, modules.end(), [&](const analyzer::Module& module) {
      return module.found_in != at->found_in;
    });
    ModuleGroup group{count(static_cast<std::uint64_t>(end - at), noun), {}};
    if (!at->found_in.empty()) {
      group.title += fmt::format(" ({}{})", at->found_in,
                                 at->confidence == "high" ? "" : ", " + at->confidence);
    }
    for (; at != end; ++at) {
      std::string name = printable(at->path);
      if (!at->version.empty()) name += ' ' + printable(at->version);
      if (at->only_for_build) name += " (only for the build)";
      group.names.push_back(std::move(name));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace whittle::report
