// SPDX-License-Identifier: MIT
//
// Go's function tables, from both sides. The first byte decides: the rest is a table to split,
// which must come back or be refused; or it is streams to join, each with its length in two bytes,
// which must never read or write outside.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packer/stub/transforms/go_tables.h"
#include "packer/transforms/go_tables.h"
#include "packer/transforms/parts.h"

namespace {

using whittle::Bytes;
using whittle::ByteView;

// Every stream in memory of its own, so that a byte too far is seen.
bool join(const std::vector<Bytes>& streams, Bytes& table) {
  const auto views = whittle::packer::views_of(streams);
  const std::size_t size =
      whittle::stub::go_table_scratch(views.data(), views.size(), table.size());
  std::vector<std::uint64_t> scratch((size + 7) / 8);
  return whittle::stub::join_go_table(views.data(), views.size(), table.data(), table.size(),
                                      reinterpret_cast<std::uint8_t*>(scratch.data()), size);
}

void split(ByteView table) {
  for (const whittle::packer::GoTable& found : whittle::packer::find_go_tables(table)) {
    if (!whittle::in_bounds(found.offset, found.size, table.size())) __builtin_trap();
  }
  const auto streams = whittle::packer::split_go_table(table);
  if (!streams) return;
  Bytes joined(table.size());
  if (!join(*streams, joined)) __builtin_trap();
  if (!std::equal(joined.begin(), joined.end(), table.begin())) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  ByteView rest(data + 3, size - 3);
  if ((data[0] & 1) != 0) {
    split(rest);
    return 0;
  }
  Bytes table(data[1] + data[2] * std::size_t{256});
  std::vector<Bytes> streams(whittle::stub::kGoStreamCount);
  for (Bytes& stream : streams) {
    if (rest.size() < 2) break;
    const std::size_t length =
        std::min<std::size_t>(rest[0] + rest[1] * std::size_t{256}, rest.size() - 2);
    stream.assign(rest.begin() + 2, rest.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(2 + length);
  }
  join(streams, table);
  return 0;
}
