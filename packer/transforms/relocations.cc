// SPDX-License-Identifier: MIT
#include "packer/transforms/relocations.h"

#include "packer/stub/base/load_store.h"
#include "packer/stub/transforms/relocations.h"
#include "packer/transforms/parts.h"
#include "packer/transforms/stream_writer.h"

namespace whittle::packer {
namespace {

constexpr std::size_t kEntry = 24;
constexpr std::uint64_t kFewestEntries = 64;  // below, what is saved is less than what streams cost
constexpr std::uint64_t kDynamicRela = 7, kDynamicRelaSize = 8;  // DT_RELA, DT_RELASZ

std::uint64_t load(ByteView bytes, std::size_t at) { return stub::load64(bytes.data() + at); }

}  // namespace

std::optional<AddressRange> find_relocations(const elf::File& file) {
  AddressRange range{0, 0};
  for (const elf::DynamicEntry& entry : file.dynamic()) {
    if (entry.tag == kDynamicRela) range.address = entry.value;
    if (entry.tag == kDynamicRelaSize) range.size = entry.value;
  }
  if (range.size % kEntry != 0 || range.size / kEntry < kFewestEntries) return std::nullopt;
  for (const elf::Segment& s : file.segments()) {
    if (s.type == elf::kSegmentLoad && range.address >= s.vaddr &&
        in_bounds(range.address - s.vaddr, range.size, s.filesz)) {
      return range;
    }
  }
  return std::nullopt;
}

Split split_relocations(ByteView range) {
  if (range.size() % kEntry != 0)
    return Split::nothing("the table is not a whole number of entries");
  std::vector<Bytes> streams(stub::kRelaStreams);
  std::uint64_t before = 0;
  for (std::size_t at = 0; at < range.size(); at += kEntry) {
    const std::uint64_t offset = load(range, at), addend = load(range, at + 16);
    put_signed(streams[stub::kRelaWhere], static_cast<std::int64_t>(offset - before));
    before = offset;
    put_number(streams[stub::kRelaWhere], load(range, at + 8));
    for (int shift = 24; shift >= 0; shift -= 8) {
      streams[stub::kRelaAddends].push_back(static_cast<std::uint8_t>(addend >> shift));
    }
  }
  if (!joins_to(range, streams, stub::join_relocations)) {
    return Split::nothing("an addend has more than 32 bits");
  }
  return streams;
}

}  // namespace whittle::packer
