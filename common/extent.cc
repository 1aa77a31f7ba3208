// SPDX-License-Identifier: MIT
#include "common/extent.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace whittle::elf {
namespace {

// File offsets [first, second).
using Range = std::pair<std::uint64_t, std::uint64_t>;

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::uint64_t end_of(const std::vector<Range>& ranges) {
  std::uint64_t end = 0;
  for (const Range& range : ranges) end = std::max(end, range.second);
  return end;
}

}  // namespace

Extent measure_extent(const File& file) {
  const Header& header = file.header();
  std::vector<Range> ranges = {{0, header.is_64bit ? 64 : 52}};
  if (header.phnum != 0) {
    ranges.emplace_back(header.phoff,
                        header.phoff + std::uint64_t{header.phnum} * header.phentsize);
  }
  for (const Segment& segment : file.segments()) {
    ranges.emplace_back(segment.offset, segment.file_end());
  }
  Extent extent;
  extent.loaded = end_of(ranges);
  if (!file.sections().empty()) {
    ranges.emplace_back(header.shoff, header.shoff + file.sections().size() * header.shentsize);
    for (const Section& section : file.sections()) {
      if (section.has_bytes()) ranges.emplace_back(section.offset, section.offset + section.size);
    }
  }
  extent.described = end_of(ranges);

  const ByteView rest = file.bytes().subspan(extent.described);
  if (!is_zero(rest)) extent.overlay = rest.size();
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t at = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin > at && !is_zero(file.bytes().subspan(at, begin - at))) extent.in_gaps += begin - at;
    at = std::max(at, end);
  }
  return extent;
}

}  // namespace whittle::elf
