// SPDX-License-Identifier: MIT
//
// Relocations: arbitrary bytes come back exactly where they can be taken apart, and arbitrary
// streams are joined or refused without touching anything else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/stub/transforms/relocations.h"
#include "packer/transforms/relocations.h"

using whittle::stub::join_relocations;
using whittle::stub::StreamView;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t whole = size / 24 * 24;
  if (const auto streams = whittle::packer::split_relocations({data, whole})) {
    const StreamView views[] = {{(*streams)[0].data(), (*streams)[0].size()},
                                {(*streams)[1].data(), (*streams)[1].size()}};
    std::vector<std::uint8_t> joined(whole);
    if (!join_relocations(views, 2, joined.data(), whole) ||
        !std::equal(joined.begin(), joined.end(), data)) {
      __builtin_trap();
    }
  }
  if (size == 0) return 0;
  // Each stream on its own, so that reading too far is seen.
  const std::size_t entries = std::min<std::size_t>(data[0], (size - 1) / 4);
  const std::vector<std::uint8_t> addends(data + 1, data + 1 + entries * 4);
  const std::vector<std::uint8_t> where(data + 1 + entries * 4, data + size);
  const StreamView views[] = {{where.data(), where.size()}, {addends.data(), addends.size()}};
  std::vector<std::uint8_t> out(entries * 24);
  join_relocations(views, 2, out.data(), out.size());
  return 0;
}
