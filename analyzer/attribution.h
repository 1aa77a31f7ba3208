// SPDX-License-Identifier: MIT
//
// Who owns a file's bytes: each byte is counted once for its segment, once for its section and once
// for its owner, so that each of the three lists adds up to the file.
//
// The owner of code is a Go package, by the table of functions that outlives stripping and which is
// shared out among them itself (see go_table_parts.h); otherwise, and for all data, where there are
// symbols, a Go package, a crate (Rust), a namespace (C++) or "C". What nobody owns is listed by
// the name of its section in brackets: "[.rodata]".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"

namespace whittle::analyzer {

struct Share {
  std::string name;
  std::uint64_t bytes = 0;  // of the file
};

struct Attribution {
  std::uint64_t size = 0;  // bytes of the file; what each list but the last adds up to
  std::vector<Share> segments, sections, owners;  // the largest first
  std::vector<Share> functions;                   // the largest, at most 1,000
};

// Throws Error{refused} for what is not ELF and Error{malformed} for headers that cannot be right.
Attribution attribute(ByteView bytes, std::string_view path);

// The crate or the outermost namespace of a mangled symbol, "C" for one that is not mangled.
std::string owner_of_symbol(std::string_view symbol);

// File offsets that are labelled once: a label for a range takes what has none yet.
class RangeMap {
 public:
  explicit RangeMap(std::uint64_t size) : size_(size) {}

  // Returns the bytes that got the label. A range beyond the end of the file is cut.
  std::uint64_t add(std::uint64_t offset, std::uint64_t length, const std::string& label);

  // By label, the largest first, what has none under `rest`; adds up to the size.
  std::vector<Share> shares(const std::string& rest) const;

 private:
  std::uint64_t size_, labelled_ = 0;
  std::map<std::uint64_t, std::uint64_t> taken_;  // begin, end; neighbours are joined
  std::map<std::string, std::uint64_t> bytes_;
};

}  // namespace whittle::analyzer
