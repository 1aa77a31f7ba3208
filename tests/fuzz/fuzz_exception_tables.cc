// SPDX-License-Identifier: MIT
//
// Exception tables: any bytes come back exactly, and arbitrary streams are joined or refused
// without touching anything else. The first 6 bytes cut the input into streams.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/exception_tables.h"
#include "packer/stub/exception_tables.h"

using whittle::stub::join_exception_tables;
using whittle::stub::kLsdaStreams;
using whittle::stub::StreamView;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<StreamView> views;
  const auto streams = whittle::packer::split_exception_tables({data, size});
  for (const whittle::Bytes& s : streams) views.push_back({s.data(), s.size()});
  std::vector<std::uint8_t> joined(size);
  if (!join_exception_tables(views.data(), views.size(), joined.data(), size) ||
      !std::equal(joined.begin(), joined.end(), data)) {
    __builtin_trap();
  }
  if (size < kLsdaStreams) return 0;
  const std::uint8_t* at = data + kLsdaStreams;
  std::vector<std::vector<std::uint8_t>> parts;  // each on its own, so that overreads are seen
  for (std::size_t i = 0; i < kLsdaStreams; i++) {
    const auto length = std::min<std::ptrdiff_t>(data[i] * 4, data + size - at);
    parts.emplace_back(at, at + length);
    at += length;
  }
  views.clear();
  for (const auto& part : parts) views.push_back({part.data(), part.size()});
  std::vector<std::uint8_t> out(size * 2);
  join_exception_tables(views.data(), views.size(), out.data(), out.size());
  return 0;
}
