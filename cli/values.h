// SPDX-License-Identifier: MIT
//
// Small readings of option values that more than one command needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/size_report.h"

namespace whittle::cli {

// "text", "json", "markdown"; nothing for another word.
std::optional<report::Format> report_format(std::string_view word);

// The format that a report's file name asks for: .json, .md, else text.
report::Format report_format_of_file(std::string_view path);

// "NAME=VALUE", where the value may hold further `=`. Throws Error{usage} naming `option`.
std::pair<std::string, std::string> parse_assignment(std::string_view option,
                                                     std::string_view text);
std::vector<std::pair<std::string, std::string>> parse_assignments(
    std::string_view option, const std::vector<std::string>& texts);

}  // namespace whittle::cli
