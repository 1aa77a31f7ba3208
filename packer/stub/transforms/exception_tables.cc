// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/exception_tables.h"

#include "packer/stub/transforms/source.h"

namespace whittle::stub {
namespace {

constexpr size_t kLongest = 10;  // bytes of a number

// Appends to `out`, where room for kLongest bytes is.
inline uint8_t* put(uint8_t* out, uint64_t value) {
  for (; value >= 128; value >>= 7) *out++ = static_cast<uint8_t>(value | 128);
  *out++ = static_cast<uint8_t>(value);
  return out;
}

}  // namespace

bool join_exception_tables(const StreamView* streams, size_t count, uint8_t* out, size_t size) {
  if (count != kLsdaStreams) return false;
  Sources<kLsdaStreams> sources(streams);
  Source &heads = sources[kLsdaHeads], &rest = sources[kLsdaRest];
  uint8_t* const end = out + size;
  const auto room = [&] { return static_cast<size_t>(end - out); };
  while (!heads.empty()) {
    const size_t between = heads.number();
    if (between > room()) return false;
    rest.copy(out, between);
    out += between;

    uint8_t head[3 + 2 * kLongest] = {0xff, heads.byte()};
    uint8_t* at = head + 2;
    if (head[1] != 0xff) at = put(at, heads.number());
    *at++ = 1;  // entries are ULEB128
    const size_t table = heads.number();
    at = put(at, table);
    const auto head_size = static_cast<size_t>(at - head);
    if (head_size > room() || table > room() - head_size) return false;
    __builtin_memcpy(out, head, head_size);
    out += head_size;

    uint8_t* const table_end = out + table;
    uint64_t covered = 0, pad = 0;
    while (out != table_end) {
      uint8_t entry[4 * kLongest];
      const uint64_t begin = covered + sources[kLsdaBegins].signed_number();
      const uint64_t length = sources[kLsdaLengths].number();
      const uint64_t coded = sources[kLsdaPads].number();
      if (coded != 0) pad += unzigzag(coded - 1);
      covered = begin + length;
      at = put(put(put(entry, begin), length), coded != 0 ? pad : 0);
      at = put(at, sources[kLsdaActions].number());
      const auto entry_size = static_cast<size_t>(at - entry);
      if (entry_size > static_cast<size_t>(table_end - out)) return false;
      __builtin_memcpy(out, entry, entry_size);
      out += entry_size;
    }
  }
  rest.copy(out, room());
  return sources.exhausted();
}

}  // namespace whittle::stub
