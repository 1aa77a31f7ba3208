// SPDX-License-Identifier: MIT
#include "report/markdown.h"

#include <algorithm>

#include "common/text.h"

namespace whittle::report {
namespace {

// Markup anywhere in a line.
constexpr std::string_view kSpecial = "\\`*_{}[]<>|#!&~$";
// GitHub makes links of "https://…" and "www.…".
bool begins_link(std::string_view text, std::size_t at) {
  return text.substr(at).starts_with("://") ||
         (text[at] == '.' && at >= 3 && text.substr(at - 3, 3) == "www");
}

}  // namespace

std::string markdown_text(std::string_view raw) {
  const std::string text = printable(raw);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at++) {
    const bool is_edge = at == 0 || at + 1 == text.size();
    if (text[at] == ' ' && is_edge) {
      out += "&#32;";  // blanks at both ends would be cut off
      continue;
    }
    if (kSpecial.find(text[at]) != std::string_view::npos || begins_link(text, at)) {
      out += '\\';
    }
    out += text[at];
  }
  return out;
}

std::string markdown_code(std::string_view raw) {
  const std::string text = printable(raw);
  std::size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  const bool blank = text.find_first_not_of(' ') == std::string::npos;
  // One blank is taken off at both ends, if both have one and there is more than blanks.
  const bool pad = !blank && (longest != 0 || text.front() == ' ' || text.back() == ' ');
  return fence + (pad ? " " : "") + text + (pad ? " " : "") + fence;
}

}  // namespace whittle::report
