// SPDX-License-Identifier: MIT
//
// How far a program reaches into its file, in three marks:
//
//   0 ........ loaded ........ described ........ size
//   headers,    sections that    overlay: an archive,
//   segments    only tools read  a script, or nothing
//
// `loaded` is the end of what running needs, `described` the end of what the headers describe.
// Whatever follows that was appended by someone, and must not be dropped.
#pragma once

#include <cstdint>

#include "common/elf.h"

namespace whittle::analyzer {

struct Extent {
  std::uint64_t loaded = 0;     // end of the ELF header, program header table and all segments
  std::uint64_t described = 0;  // end of those, the section header table and all sections
  std::uint64_t overlay = 0;    // bytes after `described`; 0 when they are all zero
};

// With unreadable section headers it is unknown where sections end; `described` is then `loaded`.
Extent measure_extent(const elf::File& file);

}  // namespace whittle::analyzer
