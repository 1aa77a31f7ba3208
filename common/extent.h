// SPDX-License-Identifier: MIT
//
// How far a program reaches into its file, in three marks:
//
//   0 ........ loaded ........ described ........ size
//   headers,    sections that    overlay: an archive,
//   segments    only tools read  a script, or nothing
//
// `loaded` is the end of what running needs, `described` the end of what the headers describe.
// Whatever follows that was appended by someone, and must not be dropped. Nor must bytes between
// two things that are described: linkers fill such gaps with zeros.
#pragma once

#include <cstdint>

#include "common/elf.h"

namespace whittle::elf {

struct Extent {
  std::uint64_t loaded = 0;     // end of the ELF header, program header table and all segments
  std::uint64_t described = 0;  // end of those, the section header table and all sections
  std::uint64_t overlay = 0;    // bytes after `described`; 0 when they are all zero
  std::uint64_t in_gaps = 0;    // bytes of the gaps before `described` that are not all zero

  // Bytes that no header describes.
  std::uint64_t undescribed() const { return overlay + in_gaps; }
};

// With unreadable section headers it is unknown where sections end; `described` is then `loaded`.
// Never throws on any content.
Extent measure_extent(const File& file);

}  // namespace whittle::elf
