// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace whittle::report {

inline constexpr std::size_t kTerminalColumns = 80;

// `text` in lines of at most 80 columns, broken at blanks, each line but the first after `indent`
// blanks; a line feed at the end. A word that is longer than a line stays whole.
std::string wrapped(std::string_view text, std::size_t indent);

// `text`, or as much of its beginning as fits into so many columns, with "…" at the end.
std::string shortened(std::string_view text, std::size_t width);

}  // namespace whittle::report
