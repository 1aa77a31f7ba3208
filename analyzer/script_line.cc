// SPDX-License-Identifier: MIT
#include "analyzer/script_line.h"

#include <algorithm>
#include <string_view>

namespace whittle::analyzer {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// The first word, which is taken off the text.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<ScriptLine> parse_script_line(ByteView start) {
  std::string_view text = as_text(start);
  if (!text.starts_with("#!")) return std::nullopt;
  text = text.substr(2, kScriptLine - 2);
  const std::size_t end = text.find_first_of(std::string_view("\n\0", 2));
  const bool is_cut = end == std::string_view::npos && start.size() >= kScriptLine;
  text = trim(text.substr(0, end));
  ScriptLine line;
  line.interpreter = text.substr(0, text.find_first_of(kBlanks));
  line.argument = trim(text.substr(line.interpreter.size()));
  // The kernel refuses a name that may go on.
  if (is_cut && line.argument.empty()) line.interpreter.clear();
  return line;
}

std::optional<std::string> program_of_env(const ScriptLine& line) {
  const std::string_view name =
      std::string_view(line.interpreter).substr(line.interpreter.rfind('/') + 1);
  if (name != "env") return std::string();
  std::string_view rest = line.argument;
  if (!rest.starts_with('-')) return rest.empty() ? std::nullopt : std::optional(std::string(rest));
  // Without -S the whole argument would be the name of one program.
  if (rest.starts_with("-S")) {
    rest.remove_prefix(2);
  } else if (rest.starts_with("--split-string=")) {
    rest.remove_prefix(15);
  } else {
    return std::nullopt;
  }
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (word.find_first_of("'\"\\$") != std::string_view::npos) return std::nullopt;
    if (word == "-i" || word == "-" || word == "--ignore-environment") continue;
    if (word.starts_with('-')) return std::nullopt;
    if (word.find('=') == std::string_view::npos) return std::string(word);
  }
  return std::nullopt;
}

}  // namespace whittle::analyzer
