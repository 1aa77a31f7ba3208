// SPDX-License-Identifier: MIT
#include "config/substitute.h"

#include <fmt/format.h>

#include <algorithm>

namespace whittle::config {
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

std::string place(std::string_view path, Position position) {
  return fmt::format("{}:{}:{}", path, position.line, position.column);
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

namespace {

// Not the inside of a UTF-8 character.
bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

Position PositionCursor::at_character(std::size_t index) {
  const std::string& text = text_.text();
  while (byte_ < text.size() && (character_ < index || !begins_character(text[byte_]))) {
    byte_++;
    if (byte_ == text.size() || begins_character(text[byte_])) character_++;
  }
  return position();
}

Position PositionCursor::at_byte(std::size_t index) {
  const std::string& text = text_.text();
  while (byte_ < std::min(index, text.size())) {
    byte_++;
    if (byte_ == text.size() || begins_character(text[byte_])) character_++;
  }
  return position();
}

Position PositionCursor::position() {
  const auto& replacements = text_.replacements_;
  while (replacement_ < replacements.size() && replacements[replacement_].end <= byte_) {
    replacement_++;
  }
  // The same place in the original: after the last replacement that has ended, or in the next one.
  std::size_t source = byte_;
  if (replacement_ > 0) {
    const auto& before = replacements[replacement_ - 1];
    source = before.original_end + (byte_ - before.end);
  }
  if (replacement_ < replacements.size() && replacements[replacement_].begin <= byte_) {
    source = replacements[replacement_].original_begin;
  }
  const std::string& original = text_.original_;
  for (; original_byte_ < std::min(source, original.size()); original_byte_++) {
    if (original[original_byte_] == '\n') {
      original_ = {.line = original_.line + 1, .column = 1};
    } else if (begins_character(original[original_byte_])) {
      original_.column++;
    }
  }
  return original_;
}

}  // namespace whittle::config
