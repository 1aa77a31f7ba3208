// SPDX-License-Identifier: MIT
#include "flow/substitute.h"

#include <unistd.h>

#include <algorithm>

namespace whittle::flow {
namespace {

constexpr std::string_view kOpen = "_env(";

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; entry++) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

SubstitutedText::SubstitutedText(std::string_view original, const Environment& environment)
    : original_(original) {
  std::size_t at = 0;
  while (true) {
    const std::size_t open = original.find(kOpen, at);
    if (open == std::string_view::npos) break;
    const std::size_t name_at = open + kOpen.size();
    // The name ends at the first byte that cannot be part of one, so that the search for `)` does
    // not run through the rest of the file again and again.
    std::size_t close = name_at;
    while (close < original.size() && is_name(original.substr(name_at, 1)) &&
           is_name(std::string("_") + original[close])) {
      close++;
    }
    const std::string_view name = original.substr(name_at, close - name_at);
    if (close >= original.size() || original[close] != ')' || !is_name(name)) {
      text_ += original.substr(at, name_at - at);
      at = name_at;
      continue;
    }
    text_ += original.substr(at, open - at);
    const auto variable = environment.find(std::string(name));
    const std::string value = variable == environment.end() ? "" : variable->second;
    replacements_.push_back({.original_begin = open,
                             .original_end = close + 1,
                             .begin = text_.size(),
                             .end = text_.size() + value.size()});
    text_ += value;
    at = close + 1;
  }
  text_ += original.substr(at);
}

Position SubstitutedText::original_position(int line, int column) const {
  std::size_t offset = 0;
  for (int i = 0; i < line; i++) {
    const std::size_t newline = text_.find('\n', offset);
    if (newline == std::string::npos) break;
    offset = newline + 1;
  }
  offset = std::min(offset + static_cast<std::size_t>(std::max(column, 0)), text_.size());

  std::size_t source = offset;  // the same place in original_
  for (const Replacement& replacement : replacements_) {
    if (offset < replacement.begin) break;
    source = offset < replacement.end ? replacement.original_begin
                                      : replacement.original_end + (offset - replacement.end);
  }
  Position position{.line = 1, .column = 1};
  for (std::size_t i = 0; i < std::min(source, original_.size()); i++) {
    const auto byte = static_cast<unsigned char>(original_[i]);
    if (byte == '\n') {
      position = {.line = position.line + 1, .column = 1};
    } else if ((byte & 0xc0) != 0x80) {  // not the inside of a UTF-8 character
      position.column++;
    }
  }
  return position;
}

}  // namespace whittle::flow
