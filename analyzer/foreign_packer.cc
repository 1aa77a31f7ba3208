// SPDX-License-Identifier: MIT
#include "analyzer/foreign_packer.h"

#include <algorithm>

#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::string_view kMagic = "UPX!";

bool has_upx_magic(const elf::File& file) {
  const elf::Header& header = file.header();
  const std::string_view bytes = as_text(file.bytes());
  // Behind the program headers: a checksum and the magic.
  const std::uint64_t info = header.phoff + std::uint64_t{header.phnum} * header.phentsize;
  if (in_bounds(info, 8, bytes.size()) && bytes.substr(info + 4).starts_with(kMagic)) return true;
  constexpr std::size_t kTail = 64;  // holds UPX's header for its own use, of 36 bytes
  return bytes.substr(bytes.size() - std::min(bytes.size(), kTail)).find(kMagic) !=
         std::string_view::npos;
}

// "3.96" of the stub's "$Id: UPX 3.96 Copyright (C) …".
std::string upx_version(const elf::File& file) {
  constexpr std::string_view kPrefix = "$Id: UPX ";
  const std::string_view bytes = as_text(file.bytes());
  const std::size_t at = bytes.find(kPrefix);
  if (at == std::string_view::npos) return {};
  constexpr std::size_t kLongest = 16;
  const std::string_view rest = bytes.substr(at + kPrefix.size(), kLongest);
  return printable(rest.substr(0, rest.find(' ')));
}

}  // namespace

std::optional<Packing> find_foreign_packer(const elf::File& file) {
  if (!has_upx_magic(file)) return std::nullopt;
  return Packing{.packer = "UPX", .version = upx_version(file)};
}

}  // namespace whittle::analyzer
