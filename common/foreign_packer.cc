// SPDX-License-Identifier: MIT
#include "common/foreign_packer.h"

#include <algorithm>

#include "common/bytes.h"
#include "common/text.h"

namespace whittle {
namespace {

constexpr std::string_view kMagic = "UPX!";

// Behind the program headers, since UPX 4 perhaps with notes between: two bytes of the stub's size,
// the version and number of the format, then a zero and the size of the program inside.
bool has_upx_header(const elf::File& file) {
  constexpr std::uint64_t kFirstPage = 4096, kFields = 16;
  const ByteReader reader(file.bytes(), file.header().order, file.path());
  const elf::Header& header = file.header();
  const std::uint64_t end = std::min(kFirstPage, reader.size());
  std::uint64_t at = header.phoff + std::uint64_t{header.phnum} * header.phentsize;
  for (at = align_up(at, 4); in_bounds(at, kFields, end); at += 4) {
    if (as_text(reader.slice(at, 4, "a magic")) != kMagic) continue;
    const std::uint8_t version = reader.u8(at + 6, "UPX's version of the format");
    if (version >= 10 && version < 32 && reader.u32(at + 8, "UPX's header") == 0 &&
        reader.u32(at + 12, "UPX's header") != 0) {
      return true;
    }
  }
  return false;
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

std::optional<ForeignPacker> find_foreign_packer(const elf::File& file) {
  if (!has_upx_header(file)) return std::nullopt;
  return ForeignPacker{.name = "UPX", .version = upx_version(file)};
}

std::string name_and_version(const ForeignPacker& packer) {
  return packer.version.empty() ? packer.name : packer.name + ' ' + packer.version;
}

}  // namespace whittle
