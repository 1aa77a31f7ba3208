// SPDX-License-Identifier: MIT
#include "analyzer/extent.h"

#include <algorithm>

namespace whittle::analyzer {

Extent measure_extent(const elf::File& file) {
  const elf::Header& header = file.header();
  const ByteView bytes = file.bytes();
  Extent extent;
  extent.loaded = header.is_64bit ? 64 : 52;
  if (header.phnum != 0) {
    extent.loaded =
        std::max(extent.loaded, header.phoff + std::uint64_t{header.phnum} * header.phentsize);
  }
  for (const elf::Segment& segment : file.segments()) {
    extent.loaded = std::max(extent.loaded, segment.file_end());
  }
  extent.described = extent.loaded;
  if (!file.sections().empty()) {
    extent.described =
        std::max(extent.described, header.shoff + file.sections().size() * header.shentsize);
    for (const elf::Section& section : file.sections()) {
      if (!section.has_bytes()) continue;
      extent.described = std::max(extent.described, section.offset + section.size);
    }
  }
  const ByteView rest = bytes.subspan(extent.described);
  if (std::any_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte != 0; })) {
    extent.overlay = rest.size();
  }
  return extent;
}

}  // namespace whittle::analyzer
