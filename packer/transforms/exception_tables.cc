// SPDX-License-Identifier: MIT
#include "packer/transforms/exception_tables.h"

#include <algorithm>

#include "packer/stub/transforms/exception_tables.h"
#include "packer/transforms/stream_writer.h"

namespace whittle::packer {
namespace {

constexpr std::uint64_t kSmallest = 256;  // below, what is saved is less than what streams cost

struct Entry {
  std::uint64_t begin, length, pad, action;
};
struct Table {
  std::uint8_t type_encoding;
  std::uint64_t types;  // where type_encoding is not ff
  std::uint64_t entries_size;
  std::vector<Entry> entries;
  std::size_t size;  // bytes of head and entries
};

// Takes a number that is coded as short as possible, as the join will; sets `ok` to false for
// others.
class Numbers {
 public:
  explicit Numbers(ByteView bytes) : bytes_(bytes) {}
  std::size_t at() const { return at_; }
  std::size_t size() const { return bytes_.size(); }
  bool ok() const { return ok_; }
  std::uint8_t byte() {
    if (at_ < bytes_.size()) return bytes_[at_++];
    ok_ = false;
    return 0;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 127U} << shift;
      if (next < 128) {
        if (next == 0 && shift != 0) ok_ = false;
        return value;
      }
    }
    ok_ = false;
    return 0;
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

// The table that `numbers` begin with, if there is one.
std::optional<Table> parse(Numbers& numbers) {
  if (numbers.byte() != 0xff) return std::nullopt;
  Table table{numbers.byte(), 0, 0, {}, 0};
  if (table.type_encoding != 0xff) table.types = numbers.number();
  if (numbers.byte() != 1) return std::nullopt;
  table.entries_size = numbers.number();
  if (!numbers.ok() || !in_bounds(numbers.at(), table.entries_size, numbers.size())) {
    return std::nullopt;
  }
  table.size = numbers.at() + static_cast<std::size_t>(table.entries_size);
  while (numbers.ok() && numbers.at() < table.size) {
    Entry entry{};
    entry.begin = numbers.number();
    entry.length = numbers.number();
    entry.pad = numbers.number();
    entry.action = numbers.number();
    table.entries.push_back(entry);
  }
  if (!numbers.ok() || numbers.at() != table.size) return std::nullopt;
  return table;
}

void put_table(std::vector<Bytes>& streams, std::size_t between, const Table& table) {
  Bytes& heads = streams[stub::kLsdaHeads];
  put_number(heads, between);
  heads.push_back(table.type_encoding);
  if (table.type_encoding != 0xff) put_number(heads, table.types);
  put_number(heads, table.entries_size);
  std::uint64_t covered = 0, pad = 0;
  for (const Entry& entry : table.entries) {
    put_signed(streams[stub::kLsdaBegins], static_cast<std::int64_t>(entry.begin - covered));
    put_number(streams[stub::kLsdaLengths], entry.length);
    covered = entry.begin + entry.length;
    if (entry.pad == 0) {
      put_number(streams[stub::kLsdaPads], 0);
    } else {
      const std::uint64_t step = entry.pad - pad;
      put_number(streams[stub::kLsdaPads], 1 + stub::zigzag(step));
      pad = entry.pad;
    }
    put_number(streams[stub::kLsdaActions], entry.action);
  }
}

}  // namespace

std::optional<AddressRange> find_exception_tables(const elf::File& file) {
  const std::vector<std::uint64_t> tables = exception_table_addresses(file);
  if (tables.empty()) return std::nullopt;
  const auto [first, last] = std::minmax_element(tables.begin(), tables.end());
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad || *first < s.vaddr ||
        !in_bounds(*last - s.vaddr, 1, s.filesz)) {
      continue;
    }
    const ByteView bytes = file.bytes().subspan(s.offset, s.filesz);
    Numbers numbers(bytes.subspan(*last - s.vaddr));
    const auto table = parse(numbers);
    if (!table) return std::nullopt;
    const std::uint64_t size = *last + table->size - *first;
    return size >= kSmallest ? std::optional(AddressRange{*first, size}) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<Bytes> split_exception_tables(ByteView range) {
  std::vector<Bytes> streams(stub::kLsdaStreams);
  Bytes& rest = streams[stub::kLsdaRest];
  std::size_t between = 0;
  // What may be read in vain: bytes made to look like long tables must not cost quadratic time.
  std::size_t patience = 16 * range.size();
  for (std::size_t at = 0; at < range.size();) {
    Numbers numbers(range.subspan(at));
    const auto table = patience != 0 ? parse(numbers) : std::nullopt;
    if (table) {
      put_table(streams, between, *table);
      at += table->size;
      between = 0;
    } else {
      patience -= std::min(patience, numbers.at());
      rest.push_back(range[at++]);
      between++;
    }
  }
  return streams;
}

}  // namespace whittle::packer
