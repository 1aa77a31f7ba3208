// SPDX-License-Identifier: MIT
//
// One line on standard error that is written over and over: "packing app  42 %". Only on a
// terminal, only after a moment, and gone when the work is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace whittle::cli {

class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::string_view what, std::uint64_t done, std::uint64_t total);
  void clear();  // before anything else is printed

 private:
  bool enabled_;
  bool visible_ = false;
  std::chrono::steady_clock::time_point next_;
};

// Clears the line that the cursor is on, whoever shows progress there.
void clear_progress();

}  // namespace whittle::cli
