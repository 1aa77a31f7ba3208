// SPDX-License-Identifier: MIT
#include "common/log_text.h"

#include <algorithm>

#include "common/text.h"

namespace whittle {
namespace {

constexpr char kEscape = '\x1b';
constexpr std::string_view kReset = "\x1b[0m";
// Nobody's colours need more; it bounds what a hostile program can make of every later line.
constexpr std::size_t kMaxActive = 256;

bool in_range(char c, char low, char high) { return c >= low && c <= high; }

// Length of the run of characters from `low` to `high` that begins at `at`.
std::size_t run_length(std::string_view text, std::size_t at, char low, char high) {
  std::size_t end = at;
  while (end < text.size() && in_range(text[end], low, high)) end++;
  return end - at;
}

// Bytes of the control string (OSC, DCS, APC, PM, SOS) at the beginning of `text`. BEL or ESC
// \ ends it, and so does the beginning of another sequence. Where no end is, only the introducer
// counts: the rest of the line stays visible.
std::size_t control_string_length(std::string_view text) {
  for (std::size_t i = 2; i < text.size(); i++) {
    if (text[i] == '\a') return i + 1;
    if (text[i] == kEscape) return i + 1 < text.size() && text[i + 1] == '\\' ? i + 2 : i;
  }
  return 2;
}

// Bytes of the escape sequence at the beginning of `text`, by the forms of ECMA-48 5.3 to 5.6 and
// ECMA-35 13. One that is cut short or malformed ends before the first byte that does not fit.
std::size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return 1;
  if (text[1] == '[') {
    std::size_t end = 2 + run_length(text, 2, '\x30', '\x3f');
    end += run_length(text, end, '\x20', '\x2f');
    return end < text.size() && in_range(text[end], '\x40', '\x7e') ? end + 1 : end;
  }
  if (std::string_view("]PX^_").find(text[1]) != std::string_view::npos) {
    return control_string_length(text);
  }
  const std::size_t end = 1 + run_length(text, 1, '\x20', '\x2f');
  return end < text.size() && in_range(text[end], '\x30', '\x7e') ? end + 1 : end;
}

// "ESC [ 1 ; 31 m": digits and separators alone. (`ESC [ > 4 m` is not a colour.)
bool is_colour(std::string_view sequence) {
  if (sequence.size() < 3 || sequence[1] != '[' || sequence.back() != 'm') return false;
  const std::string_view parameters = sequence.substr(2, sequence.size() - 3);
  return std::all_of(parameters.begin(), parameters.end(),
                     [](char c) { return in_range(c, '0', '9') || c == ';' || c == ':'; });
}

}  // namespace

void LogText::take_sequence(std::string_view sequence, std::string& out) {
  if (!coloured_ || !is_colour(sequence) || sequence.size() > kMaxActive) return;
  out += sequence;
  const std::string_view parameters = sequence.substr(2, sequence.size() - 3);
  if (parameters.find_first_not_of('0') == std::string_view::npos) {
    active_.clear();  // "ESC [ m" and "ESC [ 0 m" undo all
    return;
  }
  if (active_.size() + sequence.size() > kMaxActive) active_.clear();
  active_ += sequence;
}

std::string LogText::line(std::string_view text) {
  std::string out = active_;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of("\t\x1b"), text.size());
    out += printable(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t length = text[0] == kEscape ? sequence_length(text) : 1;
    if (text[0] == kEscape) {
      take_sequence(text.substr(0, length), out);
    } else {
      out += '\t';
    }
    text.remove_prefix(length);
  }
  if (!active_.empty()) out += kReset;
  return out;
}

std::string plain_line(std::string_view text) { return LogText(false).line(text); }

}  // namespace whittle
