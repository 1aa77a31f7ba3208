// SPDX-License-Identifier: MIT
//
// Writes a section header table: the few entries that let tools find something by its name in a
// file that needs none to run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/elf.h"

namespace whittle::elf {

struct SectionEntry {
  std::string name;
  std::uint32_t type = 1;  // SHT_PROGBITS
  std::uint64_t flags = 0, addr = 0, offset = 0, size = 0, align = 1;
};

// The name table (.shstrtab) for these sections, its own name last.
Bytes section_names(const std::vector<SectionEntry>& sections);

// The headers, in the class and byte order of `header`: the null section, the given ones, and
// .shstrtab, whose bytes are section_names(sections) at file offset `names_offset`. Fill in
// e_shoff, e_shentsize, e_shnum = sections.size() + 2 and e_shstrndx = sections.size() + 1 to
// match.
Bytes section_headers(const std::vector<SectionEntry>& sections, std::uint64_t names_offset,
                      const Header& header);

// Bytes of one header: 64, or 40 in a 32-bit file.
inline std::uint16_t section_header_size(const Header& header) { return header.is_64bit ? 64 : 40; }

}  // namespace whittle::elf
