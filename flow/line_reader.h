// SPDX-License-Identifier: MIT
//
// Cuts what a command prints into lines, and takes the marks out of it that whittle's own shell
// code prints between the commands of a script (see flow/script.h). Memory is bounded whatever the
// command prints.
//
// A carriage return starts the line again, as it does on a terminal: of a progress bar that is
// drawn over and over, its last state becomes the line.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "flow/script.h"

namespace whittle::flow {

inline constexpr std::size_t kTailLines = 20;
// Bytes; a longer line comes in pieces, which are up to 3 bytes longer so as to hold whole
// characters.
inline constexpr std::size_t kMaxLine = 4096;

class LineReader {
 public:
  using OnLine = std::function<void(std::string_view)>;
  using OnMark = std::function<void(LineRange)>;

  LineReader(ScriptMarks marks, OnLine on_line, OnMark on_mark);

  void take(std::string_view bytes);
  void finish();  // the output is over: what has no line end is the last line

  // The last lines, at most kTailLines of them.
  std::vector<std::string> tail() const { return {tail_.begin(), tail_.end()}; }

 private:
  void take(char c);
  void take_of_line(char c);
  void take_of_mark(char c);
  void emit();

  const ScriptMarks marks_;
  const OnLine on_line_;
  const OnMark on_mark_;
  std::string line_, mark_;
  bool returned_ = false;  // the last character was a carriage return
  std::deque<std::string> tail_;
};

}  // namespace whittle::flow
