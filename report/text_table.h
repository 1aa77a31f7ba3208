// SPDX-License-Identifier: MIT
//
// Tables and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace whittle::report {

std::string group_digits(std::uint64_t number);  // "11,427,952"
std::string human_size(std::uint64_t bytes);     // "10.9 MiB"; below 1024: "512 B"

// `part` of `whole` in percent with one decimal, "36.8 %"; "-" where `whole` is 0.
std::string percent(std::uint64_t part, std::uint64_t whole);

// "1 file", "2 files"
std::string count(std::uint64_t number, std::string_view noun);

enum class Align { left, right };

// Rows of cells under one another. Cells come as they are to be shown: for `text` the caller has
// made text of unknown origin printable, and none has it escaped for `markdown`.
class TextTable {
 public:
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}

  // Cells missing at the end are empty.
  void add_row(std::vector<std::string> cells);

  // Columns two blanks apart, every line after `indent`, no blanks at the end of a line.
  std::string text(std::string_view indent) const;

  // A Markdown table; the first row is its head.
  std::string markdown() const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace whittle::report
