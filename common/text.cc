// SPDX-License-Identifier: MIT
#include "common/text.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace whittle {
namespace {

struct Decoded {
  char32_t character = 0;
  std::size_t length = 0;  // bytes; 0 where the bytes are no UTF-8
};

// The character at the beginning of `text`, which is not empty.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || text.size() < length) return {};
  char32_t character = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    character = character << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (overlong || surrogate || character > 0x10ffff) return {};
  return {character, length};
}

// Characters that act on the terminal or on their neighbours instead of showing themselves.
bool must_escape(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) ||  // C0, DEL, C1
         (c >= 0x200b && c <= 0x200f) ||         // zero width, direction marks
         (c >= 0x2028 && c <= 0x202e) ||         // separators, embeddings, overrides
         (c >= 0x2060 && c <= 0x206f) ||         // isolates, invisible operators
         c == 0xfeff;                            // byte order mark
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.length == 0) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    const std::size_t length = next.length == 0 ? 1 : next.length;
    if (next.length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(text[0]));
    } else if (next.character == U'\n') {
      out += "\\n";
    } else if (next.character == U'\t') {
      out += "\\t";
    } else if (next.character == U'\r') {
      out += "\\r";
    } else if (must_escape(next.character)) {
      const auto value = static_cast<std::uint32_t>(next.character);
      out += value < 0x100 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) count++;  // not a continuation byte
  }
  return count;
}

}  // namespace whittle
