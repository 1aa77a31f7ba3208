// SPDX-License-Identifier: MIT
//
// A second opinion from LIEF, and what only LIEF reads: types of sections and symbols.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace whittle::analyzer {

struct LiefSection {
  std::string name;
  std::string type;  // "PROGBITS"
};

struct LiefSummary {
  std::uint32_t machine = 0;  // e_machine
  std::uint32_t bits = 0;     // 32 or 64
  std::uint32_t type = 0;     // e_type
  std::uint64_t entry = 0;
  std::uint64_t segments = 0;
  std::uint64_t symbols = 0;          // entries of .symtab
  std::uint64_t dynamic_symbols = 0;  // entries of .dynsym
  std::string interpreter;
  std::vector<std::string> needed;
  std::vector<LiefSection> sections;
};

struct LiefAnswer {
  std::optional<LiefSummary> summary;
  std::string problem;  // why there is none: "died of signal 11 (Segmentation fault)"
};

// Parses `bytes` with LIEF in a child process with limits (see limited_child.h). Strings are as
// they stand in the file. Never throws because of the content. Thread-safe.
LiefAnswer read_with_lief(ByteView bytes);

// The form in which the summary crosses the pipe; `decode` takes any bytes and throws
// Error{malformed} for those that `encode` does not give.
Bytes encode(const LiefSummary& summary);
LiefSummary decode(ByteView bytes);

}  // namespace whittle::analyzer
