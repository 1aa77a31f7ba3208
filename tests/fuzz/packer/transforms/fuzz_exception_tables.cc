// SPDX-License-Identifier: MIT
//
// Exception tables: any bytes come back exactly, and arbitrary streams are joined or refused
// without touching anything else. The first 6 bytes cut the input into streams.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/stub/transforms/exception_tables.h"
#include "packer/transforms/exception_tables.h"
#include "packer/transforms/parts.h"

using whittle::stub::join_exception_tables;
using whittle::stub::kLsdaStreams;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const whittle::ByteView range(data, size);
  const auto streams = whittle::packer::split_exception_tables(range);
  if (!whittle::packer::joins_to(range, streams, join_exception_tables)) __builtin_trap();
  if (size < kLsdaStreams) return 0;
  const std::uint8_t* at = data + kLsdaStreams;
  std::vector<std::vector<std::uint8_t>> parts;  // each on its own, so that overreads are seen
  for (std::size_t i = 0; i < kLsdaStreams; i++) {
    const auto length = std::min<std::ptrdiff_t>(data[i] * 4, data + size - at);
    parts.emplace_back(at, at + length);
    at += length;
  }
  const auto views = whittle::packer::views_of(parts);
  std::vector<std::uint8_t> out(size * 2);
  join_exception_tables(views.data(), views.size(), out.data(), out.size());
  return 0;
}
