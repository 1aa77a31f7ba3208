// SPDX-License-Identifier: MIT
//
// Unwind tables: arbitrary bytes come back exactly where they can be taken apart, and arbitrary
// streams are joined or refused without touching anything else. The first 8 bytes cut the input
// into streams.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/stub/transforms/eh_frame.h"
#include "packer/transforms/eh_frame.h"
#include "packer/transforms/parts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto streams = whittle::packer::split_eh_frame({data, size}, 0x1234);
  if (streams && !whittle::packer::joins_to({data, size}, *streams, whittle::stub::join_eh_frame)) {
    __builtin_trap();
  }
  if (size < whittle::stub::kEhStreams) return 0;
  const std::uint8_t* at = data + whittle::stub::kEhStreams;
  const std::uint8_t* const end = data + size;
  std::vector<std::vector<std::uint8_t>> parts;  // each on its own, so that overreads are seen
  for (std::size_t i = 0; i < whittle::stub::kEhStreams; i++) {
    const auto length = std::min<std::ptrdiff_t>(data[i] * 4, end - at);
    parts.emplace_back(at, at + length);
    at += length;
  }
  const auto views = whittle::packer::views_of(parts);
  std::vector<std::uint8_t> out(size * 2);
  whittle::stub::join_eh_frame(views.data(), views.size(), out.data(), out.size());
  return 0;
}
