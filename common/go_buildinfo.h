// SPDX-License-Identifier: MIT
//
// The build information that the Go linker writes into a program: which Go, and the module data
// that `go version -m` prints and vulnerability scanners read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/bytes.h"
#include "common/elf.h"

namespace whittle::elf {

inline constexpr std::uint64_t kMaxGoModuleData = std::uint64_t{16} << 20;  // bytes

// Both views are into the file's bytes.
struct GoBuildStrings {
  std::string_view version;  // "go1.19.8"
  std::string_view modules;  // lines between two sentinels of 16 bytes; may be empty
};

// Found by section name and, where that is gone, by its magic in writable data, as Go's own reader
// does. Nothing when the file holds none; a damaged one counts as none. Never throws on any
// content.
std::optional<GoBuildStrings> find_go_build_strings(const File& file);

// The same strings in the format that Go has written since 1.18, readable wherever it stands at an
// address that is a multiple of 16. Padded to a multiple of 16 bytes, as Go's linker does.
Bytes inline_go_build_info(const GoBuildStrings& strings);

// Reads Go strings, an address and a length each, out of a program's data. `word` is the size of a
// pointer, 4 or 8.
class GoStringReader {
 public:
  GoStringReader(const File& file, std::uint64_t word, ByteOrder order)
      : file_(file), reader_(file.bytes(), order, file.path()), word_(word) {}

  // The word at a file offset, which must be inside the file.
  std::uint64_t read(std::uint64_t offset) const {
    return word_ == 8 ? reader_.u64(offset, "a pointer") : reader_.u32(offset, "a pointer");
  }
  // The text of the string whose header is at `vaddr`, of at most `limit` bytes.
  std::optional<std::string_view> go_string(std::uint64_t vaddr, std::uint64_t limit) const;

 private:
  std::optional<std::uint64_t> word_at(std::uint64_t vaddr) const;

  const File& file_;
  ByteReader reader_;
  std::uint64_t word_;
};

}  // namespace whittle::elf
