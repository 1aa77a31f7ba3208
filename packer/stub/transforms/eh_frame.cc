// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/eh_frame.h"

#include "packer/stub/base/load_store.h"
#include "packer/stub/transforms/source.h"

namespace whittle::stub {
namespace {

constexpr uint32_t kLeastFde = 12;    // length field: CIE pointer, begin, range
constexpr uint32_t kLeastEntry = 16;  // bytes of such a record
constexpr uint32_t kWithData = 17;    // length field: these, 1 byte of size, LSDA pointer
constexpr uint32_t kTableAt = 12;     // .eh_frame_hdr: what comes before its table
constexpr uint32_t kWords = ~3U;      // all lengths and positions are multiples of 4

// The position of the first FDE at `at` or after the CIEs there; 0 where there is none. Looks at a
// few records only, so that damage cannot make the join slow.
size_t find_fde(const uint8_t* out, size_t size, size_t at) {
  for (int i = 0; i < 4; i++) {
    if (at >= size || size - at < kLeastEntry) return 0;
    if (load32_aligned(out + at + 4) != 0) return at;
    at += 4 + size_t{load32_aligned(out + at) & kWords};
  }
  return 0;
}

bool join_table(Source& index, uint8_t* out, size_t size, size_t frame, uint32_t entries) {
  if (entries == 0) return true;
  size_t next = frame;  // after the record of the entry before
  for (uint8_t* entry = out + kTableAt; entries != 0; entries--, entry += 8) {
    const size_t expected = find_fde(out, size, next);
    const size_t at = (expected + index.signed_number()) & kWords;
    if (at > size || size - at < kLeastEntry) return false;
    store32_aligned(entry, load32_aligned(out + at + 8) + static_cast<uint32_t>(at + 8));
    store32_aligned(entry + 4, static_cast<uint32_t>(at));
    next = at + 4 + size_t{load32_aligned(out + at) & kWords};
  }
  return true;
}

}  // namespace

bool join_eh_frame(const StreamView* streams, size_t count, uint8_t* out, size_t size) {
  if (count != kEhStreams) return false;
  Sources<kEhStreams> sources(streams);
  Source &index = sources[kEhIndex], &kinds = sources[kEhKinds], &contents = sources[kEhContents];
  const auto address = static_cast<uint32_t>(index.number());
  const size_t frame = index.number() & kWords;
  const auto entries = static_cast<uint32_t>(index.number());
  if (frame > size || (entries != 0 && (frame < kTableAt || entries > (frame - kTableAt) / 8))) {
    return false;
  }

  size_t at = frame;
  uint32_t cie = 0, end = 0, lsda = 0;
  while (!kinds.empty()) {
    const uint8_t kind = kinds.byte();
    const auto length = static_cast<uint32_t>(sources[kEhSizes].number()) & kWords;
    if (size - at < 4 || length > size - at - 4) return false;
    uint8_t* const record = out + at;
    const auto position = static_cast<uint32_t>(at);
    size_t done = 4;
    store32_aligned(record, length);
    if (kind == kEhOpaque) {
      cie = position;
    } else {
      if (length < (kind & kEhWithData ? kWithData : kLeastFde)) return false;
      if ((kind & kEhOtherCie) != 0) cie = static_cast<uint32_t>(sources[kEhCies].number());
      const uint32_t expected = ((end + address + 15) & ~uint32_t{15}) - address;
      const uint32_t begin = expected + static_cast<uint32_t>(sources[kEhBegins].signed_number());
      const auto range = static_cast<uint32_t>(sources[kEhRanges].number());
      end = begin + range;
      store32_aligned(record + 4, position + 4 - cie);
      store32_aligned(record + 8, begin - (position + 8));
      store32_aligned(record + 12, range);
      done = 16;
      if ((kind & kEhWithData) != 0) {
        lsda += static_cast<uint32_t>(sources[kEhData].signed_number());
        record[16] = contents.byte();
        store32(record + 17, lsda - (position + 17));
        done = 21;
      }
    }
    contents.copy(record + done, 4 + size_t{length} - done);
    at += 4 + size_t{length};
    if (contents.failed()) return false;
  }
  contents.copy(out + at, size - at);

  const size_t head = entries != 0 ? kTableAt : 0;
  if (!join_table(index, out, size, frame, entries)) return false;
  index.copy(out, head);
  const size_t table_end = head + size_t{8} * entries;
  index.copy(out + table_end, frame - table_end);
  return sources.exhausted();
}

}  // namespace whittle::stub
