// SPDX-License-Identifier: MIT
//
// The script in a step's `run`, made to stop at its first failing line and to tell where it is.
//
// The shell runs with -e, but that alone lets failures through: `cd x && make` may fail anywhere
// but at the end of a script, and so may `! grep …`. And a shell tells nobody which line it is at
// (`set -x` shows expanded commands, secrets included, and reaches into what `$(…)` captures). So
// the script is cut into its top-level commands, most of them one line each, and before each comes
// a call of a shell function that ends the script if the command before failed (unless the script
// has turned -e off), and else prints a mark that says which lines come next. The function keeps
// `$?`, the call is on the line of the command, so that line numbers in the shell's messages stay
// right, and a command runs in the same shell as all others.
//
// Where a command ends, the shell itself says: a few lines are whole commands if `sh -n` takes
// `{`, these lines and `}`. A line that continues (a quote, a here-document, `\`, `&&`, `if`)
// swallows the brace or forbids it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace whittle::flow {

inline constexpr std::size_t kMaxScriptLines = 1000;
// With what is added to each line it is less than the 128 KiB that Linux takes as one argument.
inline constexpr std::size_t kMaxScriptBytes = 80000;

// Lines of a script, counted from 1, both included.
struct LineRange {
  std::size_t first = 0, last = 0;
  bool operator==(const LineRange&) const = default;
};

// The lines of a text without their ends. A line end at the end of the text begins no further line.
std::vector<std::string_view> split_lines(std::string_view text);

// Why the text cannot be a `run`, or empty: it is too long, or asks for another interpreter with
// `#!`, which /bin/sh would take for a comment.
std::string problem_of_script(std::string_view script);

// The marks of one build. A mark is a line of its own, "\x1eNONCE FIRST LAST\n", whose nonce no
// command can know beforehand.
class ScriptMarks {
 public:
  static constexpr char kBegin = '\x1e';  // record separator

  explicit ScriptMarks(std::string nonce) : nonce_(std::move(nonce)) {}

  std::string function() const { return "whittle_" + nonce_; }  // name of the shell function
  std::string head() const { return kBegin + nonce_ + ' '; }    // what every mark begins with
  std::string mark(LineRange lines) const;

  bool may_begin_with(std::string_view bytes) const;  // whether a mark may
  LineRange parse(std::string_view mark) const;       // of a whole one
  // Whether `set -x` printed the line for a call of the function.
  bool is_trace(std::string_view line) const;

 private:
  std::string nonce_;
};

// Says whether the shell takes a text for whole commands; `complete_for_shell` asks /bin/sh.
using IsComplete = std::function<bool(const std::string& text)>;
bool complete_for_shell(const std::string& text);

// The top-level commands of a script, each with the comments in it; blank lines between them are
// left out. What never becomes whole, because it is wrong, is the last one.
std::vector<LineRange> split_script(std::string_view script, const IsComplete& is_complete);

struct PreparedScript {
  std::string text;     // for sh -e -c
  int descriptor = -1;  // on which the shell must have the output for its marks; -1: prints none
};

// A script of one command is left as it is, and so is its mark to the caller.
PreparedScript prepare_script(const std::string& script, const std::vector<LineRange>& commands,
                              const ScriptMarks& marks);

}  // namespace whittle::flow
