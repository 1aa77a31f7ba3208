// SPDX-License-Identifier: MIT
#include "report/wrapped.h"

#include <algorithm>

#include "common/text.h"

namespace whittle::report {

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out, line(text.substr(0, text.find_first_not_of(' ')));
  bool is_empty = true;  // but for its indent
  text.remove_prefix(line.size());
  while (!text.empty()) {
    const std::size_t blanks = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t end = std::min(text.find(' ', blanks), text.size());
    const std::string_view word = text.substr(blanks, end - blanks);
    if (!is_empty && columns(line) + blanks + columns(word) > kTerminalColumns) {
      out += line + '\n';
      line.assign(indent, ' ');
    } else {
      line += text.substr(0, blanks);
    }
    line += word;
    is_empty = false;
    text.remove_prefix(end);
  }
  return out + line + '\n';
}

std::string shortened(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const bool begins_character = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins_character && ++used >= width) break;
    out += c;
  }
  return width == 0 ? std::string() : out + "…";
}

}  // namespace whittle::report
