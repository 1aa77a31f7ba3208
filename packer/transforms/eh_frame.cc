// SPDX-License-Identifier: MIT
#include "packer/transforms/eh_frame.h"

#include <algorithm>
#include <map>

#include "packer/stub/base/load_store.h"
#include "packer/stub/transforms/eh_frame.h"
#include "packer/transforms/parts.h"
#include "packer/transforms/stream_writer.h"

namespace whittle::packer {
namespace {

using elf::Segment;

constexpr std::size_t kFewestRecords = 16;  // below, what is saved is less than what streams cost
constexpr std::uint64_t kLargestRange = std::uint64_t{1} << 30;  // positions fit 32-bit numbers
constexpr std::uint32_t kWithDataSize = 17;  // least length field of an FDE with an LSDA pointer
constexpr std::size_t kTableAt = 12;         // .eh_frame_hdr: what comes before its table

std::uint32_t load(ByteView bytes, std::uint64_t at) { return stub::load32(bytes.data() + at); }

struct Record {
  std::size_t at;
  std::uint32_t length;  // the length field: 4 bytes less than the record
  bool is_cie;
  std::size_t cie;  // FDE: its position
  bool with_data;   // FDE: an LSDA pointer is at byte 17

  std::size_t end() const { return at + 4 + length; }
};

// Whether the augmentation string of a CIE asks for LSDA pointers.
bool has_data(ByteView cie) {
  for (std::size_t i = 9; i < cie.size() && cie[i] != 0; i++) {
    if (cie[i] == 'L') return true;
  }
  return false;
}

// The records from `at` on, to the first that is none: a terminator, a length of 64 bits or not of
// whole words, an FDE whose CIE is not among those before.
std::vector<Record> walk(ByteView bytes, std::size_t at) {
  std::vector<Record> records;
  std::map<std::size_t, bool> cies;  // by position: whether there are LSDA pointers
  while (in_bounds(at, 16, bytes.size())) {
    Record record{.at = at,
                  .length = load(bytes, at),
                  .is_cie = load(bytes, at + 4) == 0,
                  .cie = 0,
                  .with_data = false};
    if (record.length < 12 || record.length % 4 != 0 ||
        !in_bounds(at + 4, record.length, bytes.size())) {
      break;
    }
    if (record.is_cie) {
      cies[at] = has_data(bytes.subspan(at, 4 + std::size_t{record.length}));
    } else {
      record.cie = at + 4 - load(bytes, at + 4);
      const auto cie = cies.find(record.cie);
      if (cie == cies.end()) break;
      record.with_data = cie->second && record.length >= kWithDataSize && bytes[at + 16] == 4;
    }
    records.push_back(record);
    at = record.end();
  }
  return records;
}

// The difference of two 32-bit positions, as the nearest number.
std::int64_t difference(std::uint32_t to, std::uint32_t from) {
  return static_cast<std::int32_t>(to - from);
}

// Of an .eh_frame_hdr at the start of `bytes`: where the records begin and how many entries its
// table has. Only the encodings that linkers write (LSB: 4-byte relative pointers, sorted table).
struct Index {
  std::uint64_t records;
  std::uint32_t entries;
};
std::optional<Index> read_index(ByteView bytes) {
  constexpr std::uint8_t kHead[4] = {1, 0x1b, 0x03, 0x3b};
  if (bytes.size() < kTableAt || !std::equal(kHead, kHead + 4, bytes.begin())) return std::nullopt;
  const Index index{4 + std::uint64_t{load(bytes, 4)}, load(bytes, 8)};
  const bool fits =
      in_bounds(kTableAt, std::uint64_t{index.entries} * 8, std::min(index.records, bytes.size()));
  return fits ? std::optional(index) : std::nullopt;
}

// What .eh_frame_hdr's entries come to, 0 of them where one names no record.
void put_index(Bytes& to, ByteView range, std::uint64_t address, const Index& index,
               const std::vector<Record>& records) {
  std::map<std::size_t, std::size_t> next;  // by the position of an FDE: that of the next one
  std::size_t first = 0, previous = 0;
  for (const Record& r : records) {
    if (r.is_cie) continue;
    if (previous == 0) first = r.at;
    if (previous != 0) next[previous] = r.at;
    previous = r.at;
    next[r.at] = 0;
  }
  Bytes numbers;
  std::uint32_t entries = index.entries;
  std::size_t expected = first;
  for (std::uint32_t i = 0; i < index.entries; i++) {
    const std::size_t at = load(range, kTableAt + 8 * std::size_t{i} + 4);
    const auto found = next.find(at);
    if (found == next.end()) {
      entries = 0;
      break;
    }
    put_signed(numbers, static_cast<std::int64_t>(at) - static_cast<std::int64_t>(expected));
    expected = found->second;
  }
  put_number(to, static_cast<std::uint32_t>(address % 16));
  put_number(to, static_cast<std::uint32_t>(index.records));
  put_number(to, entries);
  if (entries == 0) return put_bytes(to, range.first(index.records));
  put_bytes(to, numbers);
  put_bytes(to, range.first(kTableAt));
  const std::size_t table_end = kTableAt + std::size_t{8} * entries;
  put_bytes(to, range.subspan(table_end, index.records - table_end));
}

std::vector<Bytes> split(ByteView range, std::uint64_t address, const Index& index,
                         const std::vector<Record>& records) {
  std::vector<Bytes> streams(stub::kEhStreams);
  put_index(streams[stub::kEhIndex], range, address, index, records);
  Bytes& contents = streams[stub::kEhContents];
  std::size_t end_of_records = index.records;
  std::size_t cie = 0;
  std::uint32_t end = 0, lsda = 0;
  for (const Record& r : records) {
    const auto position = static_cast<std::uint32_t>(r.at);
    put_number(streams[stub::kEhSizes], r.length);
    end_of_records = r.end();
    if (r.is_cie) {
      cie = r.at;
      streams[stub::kEhKinds].push_back(stub::kEhOpaque);
      put_bytes(contents, range.subspan(r.at + 4, r.length));
      continue;
    }
    streams[stub::kEhKinds].push_back(
        static_cast<std::uint8_t>((r.cie == cie ? stub::kEhSameCie : stub::kEhOtherCie) |
                                  (r.with_data ? stub::kEhWithData : 0)));
    if (r.cie != cie) put_number(streams[stub::kEhCies], static_cast<std::uint32_t>(r.cie));
    cie = r.cie;
    const auto low = static_cast<std::uint32_t>(address % 16);
    const std::uint32_t expected = ((end + low + 15) & ~std::uint32_t{15}) - low;
    const std::uint32_t begin = load(range, r.at + 8) + position + 8;
    const std::uint32_t size = load(range, r.at + 12);
    put_signed(streams[stub::kEhBegins], difference(begin, expected));
    put_number(streams[stub::kEhRanges], size);
    end = begin + size;
    std::size_t done = 16;
    if (r.with_data) {
      const std::uint32_t pointer = load(range, r.at + 17) + position + 17;
      contents.push_back(range[r.at + 16]);
      put_signed(streams[stub::kEhData], difference(pointer, lsda));
      lsda = pointer;
      done = 21;
    }
    put_bytes(contents, range.subspan(r.at + done, r.end() - r.at - done));
  }
  put_bytes(contents, range.subspan(end_of_records));
  return streams;
}

// The range from `begin` to the end of `records` and their terminator, if it is worth it.
std::optional<AddressRange> range_of(const Segment& segment, std::uint64_t begin, ByteView bytes,
                                     const std::vector<Record>& records) {
  if (records.size() < kFewestRecords) return std::nullopt;
  std::uint64_t end = records.back().end();
  if (in_bounds(end, 4, bytes.size()) && load(bytes, end) == 0) end += 4;
  if (end - begin > kLargestRange) return std::nullopt;
  return AddressRange{segment.vaddr + begin, end - begin};
}

// Looks for the first CIE: length, 0, version 1 or 3, augmentation "z…". Its first FDE decides.
std::optional<AddressRange> search(const Segment& segment, ByteView bytes) {
  const std::uint64_t first = align_up(segment.vaddr, 4) - segment.vaddr;
  for (std::uint64_t at = first; in_bounds(at, 16, bytes.size()); at += 4) {
    const bool looks_like_cie = load(bytes, at + 4) == 0 && load(bytes, at) - 12 < 256 &&
                                (bytes[at + 8] == 1 || bytes[at + 8] == 3) && bytes[at + 9] == 'z';
    if (!looks_like_cie) continue;
    if (auto range = range_of(segment, at, bytes, walk(bytes, at))) return range;
  }
  return std::nullopt;
}

}  // namespace

std::optional<AddressRange> find_eh_frame(const elf::File& file) {
  const Segment* header = file.find_segment(elf::kSegmentGnuEhFrame);
  for (const Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    const ByteView bytes = file.bytes().subspan(s.offset, s.filesz);
    if (header == nullptr) {
      if (auto range = search(s, bytes)) return range;
    } else if (header->vaddr >= s.vaddr && in_bounds(header->vaddr - s.vaddr, 0, s.filesz)) {
      const std::uint64_t begin = header->vaddr - s.vaddr;
      const auto index = read_index(bytes.subspan(begin));
      if (!index) return std::nullopt;
      return range_of(s, begin, bytes, walk(bytes, begin + index->records));
    }
  }
  return std::nullopt;
}

std::vector<std::uint64_t> exception_table_addresses(const elf::File& file) {
  std::vector<std::uint64_t> addresses;
  const auto range = find_eh_frame(file);
  if (!range) return addresses;
  for (const Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad || range->address < s.vaddr ||
        !in_bounds(range->address - s.vaddr, range->size, s.filesz)) {
      continue;
    }
    const ByteView bytes = file.bytes().subspan(s.offset + (range->address - s.vaddr), range->size);
    const auto index = read_index(bytes);
    for (const Record& r : walk(bytes, index ? index->records : 0)) {
      if (!r.with_data) continue;
      const auto distance = static_cast<std::int32_t>(load(bytes, r.at + 17));
      if (distance == 0) continue;
      addresses.push_back(range->address + r.at + 17 + static_cast<std::uint64_t>(distance));
    }
    break;
  }
  return addresses;
}

Split split_eh_frame(ByteView range, std::uint64_t address) {
  if (range.size() > kLargestRange) return Split::nothing("the table is too large");
  const Index index = read_index(range).value_or(Index{0, 0});
  if (index.records > range.size()) return Split::nothing("its index points outside of it");
  std::vector<Bytes> streams =
      split(range, address, index, walk(range, static_cast<std::size_t>(index.records)));
  if (!joins_to(range, streams, stub::join_eh_frame)) return Split::nothing(kJoinsToOther);
  return streams;
}

}  // namespace whittle::packer
