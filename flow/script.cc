// SPDX-License-Identifier: MIT
#include "flow/script.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "common/text.h"

namespace whittle::flow {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

std::string join_lines(const std::vector<std::string_view>& lines, LineRange range) {
  std::string text;
  for (std::size_t i = range.first; i <= range.last; i++) {
    if (i > range.first) text += '\n';
    text += lines[i - 1];
  }
  return text;
}

// A one-digit descriptor (dash knows no others) that the script does not redirect; -1 where it
// names them all.
int free_descriptor(std::string_view script) {
  for (int candidate = 9; candidate >= 3; candidate--) {
    const char digit = static_cast<char>('0' + candidate);
    bool is_free = true;
    for (std::size_t at = script.find(digit); at != script.npos; at = script.find(digit, at + 1)) {
      const char before = at > 0 ? script[at - 1] : ' ';
      const char after = at + 1 < script.size() ? script[at + 1] : ' ';
      if (before == '&' || after == '>' || after == '<') is_free = false;
    }
    if (is_free) return candidate;
  }
  return -1;
}

// In the function, $1 is the status of the command before, $2 and $3 the lines that come next, $4
// the shell's options. With -e, returning a failure's status ends the script. `set +x` and the
// redirection keep the function out of what `set -x` shows, as far as that is possible. `command
// echo` is the shell's own, whatever the script defines.
std::string function_definition(const ScriptMarks& marks, int descriptor) {
  std::string print = ":";
  if (descriptor >= 0) {
    print = fmt::format("command echo \"{}$2 $3\" >&{} || :", marks.head(), descriptor);
  }
  return fmt::format(
      "{}() {{ {{ set -- \"$?\" \"$1\" \"$2\" \"$-\"; set +x; "
      "case $1,$4 in 0,*) ;; *,*e*) return \"$1\";; esac; {}; "
      "case $4 in *x*) set -x;; esac; return \"$1\"; }} 2>/dev/null; }}; ",
      marks.function(), print);
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string problem_of_script(std::string_view script) {
  const auto lines = split_lines(script);
  if (lines.size() > kMaxScriptLines || script.size() > kMaxScriptBytes) {
    return fmt::format(
        "has {} lines and {} bytes; more than {} lines or {} bytes have to be put into a file",
        lines.size(), script.size(), kMaxScriptLines, kMaxScriptBytes);
  }
  if (lines.empty() || lines[0].substr(0, 2) != "#!") return "";
  std::string_view interpreter = lines[0].substr(2);
  interpreter.remove_prefix(std::min(interpreter.find_first_not_of(" \t"), interpreter.size()));
  interpreter = interpreter.substr(0, interpreter.find_last_not_of(" \t") + 1);
  if (interpreter == "/bin/sh" || interpreter == "/bin/sh -e") return "";
  return fmt::format(
      "asks for `{}`, but is always run by `/bin/sh -e`; put it into a file and run that",
      printable(interpreter));
}

std::string ScriptMarks::mark(LineRange lines) const {
  return fmt::format("{}{} {}\n", head(), lines.first, lines.last);
}

bool ScriptMarks::may_begin_with(std::string_view bytes) const {
  constexpr std::size_t kMaxNumbers = 16;  // "1000 1000\n" and some
  const std::string begin = head();
  const std::size_t common = std::min(begin.size(), bytes.size());
  if (bytes.substr(0, common) != std::string_view(begin).substr(0, common)) return false;
  const std::string_view numbers = bytes.substr(common);
  return numbers.size() <= kMaxNumbers &&
         numbers.find_first_not_of("0123456789 \n") == numbers.npos;
}

LineRange ScriptMarks::parse(std::string_view mark) const {
  LineRange lines;
  mark.remove_prefix(std::min(mark.size(), head().size()));
  const char* end = mark.data() + mark.size();
  const auto first = std::from_chars(mark.data(), end, lines.first);
  if (first.ptr != end) std::from_chars(first.ptr + 1, end, lines.last);
  return lines;
}

bool ScriptMarks::is_trace(std::string_view line) const {
  return line.find(function()) != std::string_view::npos;
}

bool complete_for_shell(const std::string& text) {
  std::string shell = "/bin/sh", check = "-n", flag = "-c", wrapped = "{\n:\n" + text + "\n}";
  std::array<char*, 5> arguments = {shell.data(), check.data(), flag.data(), wrapped.data(),
                                    nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, 0, 1);
  ::posix_spawn_file_actions_adddup2(&actions, 0, 2);
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, shell.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::vector<LineRange> split_script(std::string_view script, const IsComplete& is_complete) {
  const auto lines = split_lines(script);
  std::vector<LineRange> commands;
  std::size_t first = 1;
  while (first <= lines.size()) {
    if (is_blank(lines[first - 1])) {
      first++;
      continue;
    }
    LineRange command{first, first};
    while (command.last < lines.size() && !is_complete(join_lines(lines, command))) command.last++;
    first = command.last + 1;
    // In a shell that has it, PIPESTATUS is about the command before and lost by any other.
    const bool looks_back = join_lines(lines, command).find("PIPESTATUS") != std::string::npos;
    if (looks_back && !commands.empty()) {
      commands.back().last = command.last;
    } else {
      commands.push_back(command);
    }
  }
  return commands;
}

PreparedScript prepare_script(const std::string& script, const std::vector<LineRange>& commands,
                              const ScriptMarks& marks) {
  if (commands.size() < 2) return {.text = script, .descriptor = -1};
  PreparedScript prepared{.text = "", .descriptor = free_descriptor(script)};
  prepared.text = function_definition(marks, prepared.descriptor);
  const auto lines = split_lines(script);
  auto next = commands.begin();
  for (std::size_t i = 1; i <= lines.size(); i++) {
    if (next != commands.end() && next->first == i) {
      prepared.text += fmt::format("{} {} {}; ", marks.function(), next->first, next->last);
      next++;
    }
    prepared.text += lines[i - 1];
    prepared.text += '\n';
  }
  return prepared;
}

}  // namespace whittle::flow
