// SPDX-License-Identifier: MIT
#include "packer/transforms/eh_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "common/file.h"
#include "packer/codecs/zstd_encoder.h"
#include "packer/stub/transforms/eh_frame.h"
#include "packer/transforms/parts.h"

namespace whittle::packer {
namespace {

constexpr std::uint64_t kAddress = 0x1357c64;

void put32(Bytes& to, std::uint64_t value) {
  for (int i = 0; i < 4; i++) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void set32(Bytes& in, std::size_t at, std::uint64_t value) {
  for (int i = 0; i < 4; i++) in[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// Appends a CIE with or without LSDA pointers; returns its position.
std::size_t put_cie(Bytes& to, bool with_data) {
  const std::size_t at = to.size();
  put32(to, 20);
  put32(to, 0);
  const char* augmentation = with_data ? "zPL" : "zR";
  to.push_back(1);
  to.insert(to.end(), augmentation, augmentation + std::strlen(augmentation) + 1);
  to.resize(at + 24, 0x0c);
  return at;
}

// Appends an FDE for the function of `size` bytes at `begin`, both relative to the start of `to`.
void put_fde(Bytes& to, std::size_t cie, std::uint64_t begin, std::uint64_t size,
             std::uint64_t data = 0) {
  const std::size_t at = to.size();
  put32(to, data != 0 ? 28 : 20);
  put32(to, at + 4 - cie);
  put32(to, begin - (at + 8));
  put32(to, size);
  to.push_back(data != 0 ? 4 : 0);
  if (data != 0) put32(to, data - (at + 17));
  for (int i = 0; to.size() < at + (data != 0 ? 32 : 24); i++) {
    to.push_back(static_cast<std::uint8_t>(0x41 + i));
  }
}

// An .eh_frame_hdr and the .eh_frame behind it: 40 functions, 16-byte aligned, of two kinds.
Bytes tables(bool in_order = true) {
  constexpr std::uint32_t kFunctions = 40;
  Bytes bytes = {1, 0x1b, 0x03, 0x3b};
  const std::uint32_t records = 12 + 8 * kFunctions + 4;
  put32(bytes, records - 4);
  put32(bytes, kFunctions);
  bytes.resize(records);
  const std::size_t plain = put_cie(bytes, false), with_data = put_cie(bytes, true);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> entries;
  std::uint64_t begin = 0 - std::uint64_t{0x100004};
  for (std::uint32_t i = 0; i < kFunctions; i++) {
    entries.emplace_back(static_cast<std::uint32_t>(begin),
                         static_cast<std::uint32_t>(bytes.size()));
    const std::uint64_t size = 16 + i * 5;
    if (i % 4 == 0) {
      put_fde(bytes, with_data, begin, size, 0x5000 + i * 12);
    } else {
      put_fde(bytes, plain, begin, size);
    }
    begin = ((begin + size + kAddress + 15) & ~std::uint64_t{15}) - kAddress;
  }
  put32(bytes, 0);
  if (!in_order) std::swap(entries[3], entries[17]);
  for (std::uint32_t i = 0; i < kFunctions; i++) {
    set32(bytes, 12 + 8 * i, entries[i].first);
    set32(bytes, 16 + 8 * i, entries[i].second);
  }
  return bytes;
}

// The .eh_frame alone.
Bytes records() {
  const Bytes all = tables();
  return Bytes(all.begin() + 12 + 8 * 40 + 4, all.end());
}

struct Joined {
  bool ok;
  Bytes bytes;
};
Joined join(const std::vector<Bytes>& streams, std::size_t size) {
  constexpr std::size_t kGuard = 64;
  const auto views = packer::views_of(streams);
  Bytes out(size + 2 * kGuard, 0xee);
  const bool ok = stub::join_eh_frame(views.data(), views.size(), out.data() + kGuard, size);
  for (std::size_t i = 0; i < kGuard; i++) {
    EXPECT_EQ(out[i], 0xee);
    EXPECT_EQ(out[kGuard + size + i], 0xee);
  }
  const auto begin = out.begin() + kGuard;
  return {ok, Bytes(begin, begin + static_cast<std::ptrdiff_t>(size))};
}

void expect_joined(const std::vector<Bytes>& streams, const Bytes& bytes) {
  const Joined joined = join(streams, bytes.size());
  EXPECT_TRUE(joined.ok);
  EXPECT_EQ(joined.bytes, bytes);
}

TEST(EhFrame, WhatOtherFieldsSayTakesNoBytes) {
  const auto streams = split_eh_frame(tables(), kAddress);
  ASSERT_TRUE(streams);
  // Every function begins where the one before ends, but for the first.
  const Bytes& begins = (*streams)[stub::kEhBegins];
  EXPECT_EQ(std::count(begins.end() - 39, begins.end(), 0), 39);
  // Each table entry is the next record. 16 bytes: what is around the table.
  const Bytes& index = (*streams)[stub::kEhIndex];
  EXPECT_EQ(std::count(index.begin() + 4, index.begin() + 44, 0), 40);
  EXPECT_EQ(index.size(), 4U + 40 + 16);
  EXPECT_EQ((*streams)[stub::kEhData].size(), 3U + 9);
  EXPECT_EQ(join(*streams, tables().size()).bytes, tables());
}

TEST(EhFrame, TablesInAnyOrderComeBack) {
  const Bytes bytes = tables(false);
  const auto streams = split_eh_frame(bytes, kAddress);
  ASSERT_TRUE(streams);
  expect_joined(*streams, bytes);
}

TEST(EhFrame, RecordsWithoutATableComeBack) {
  const Bytes bytes = records();
  const auto streams = split_eh_frame(bytes, kAddress);
  ASSERT_TRUE(streams);
  EXPECT_EQ((*streams)[stub::kEhKinds].size(), 42U);
  expect_joined(*streams, bytes);
}

TEST(EhFrame, RecordsEndWhereOneIsNotOfWholeWords) {
  Bytes bytes = records();
  std::size_t at = 0;
  for (int record = 0; record < 10; record++) at += 4 + bytes[at];
  bytes[at] += 1;
  const auto streams = split_eh_frame(bytes, kAddress);
  ASSERT_TRUE(streams);
  EXPECT_EQ((*streams)[stub::kEhKinds].size(), 10U);
  expect_joined(*streams, bytes);
}

TEST(EhFrame, ArbitraryBytesComeBackOrAreLeftAlone) {
  std::mt19937_64 random(20260601);
  std::size_t taken_apart = 0;
  for (int i = 0; i < 4000; i++) {
    Bytes bytes = tables(i % 2 == 0);
    for (std::uint64_t n = random() % 8; n != 0; n--) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (i % 5 == 0) bytes.resize(random() % bytes.size());
    const auto streams = split_eh_frame(bytes, random());
    if (!streams) continue;
    taken_apart++;
    const Joined joined = join(*streams, bytes.size());
    EXPECT_TRUE(joined.ok);
    EXPECT_EQ(joined.bytes, bytes) << "case " << i;
  }
  EXPECT_GT(taken_apart, 3000U);
}

TEST(EhFrame, DamagedStreamsAreRefusedOrJoinedWithinBounds) {
  const Bytes bytes = tables();
  const auto streams = split_eh_frame(bytes, kAddress);
  ASSERT_TRUE(streams);
  for (std::size_t s = 0; s < streams->size(); s++) {
    SCOPED_TRACE(s);
    if ((*streams)[s].empty()) continue;
    auto cut = *streams;
    cut[s].pop_back();
    const Joined joined = join(cut, bytes.size());
    EXPECT_TRUE(!joined.ok || joined.bytes != bytes);
  }
  std::mt19937_64 random(3);
  for (int i = 0; i < 4000; i++) {
    auto damaged = *streams;
    for (int n = 0; n < 3; n++) {
      Bytes& stream = damaged[random() % damaged.size()];
      if (!stream.empty()) {
        stream[random() % stream.size()] = static_cast<std::uint8_t>(random());
      }
    }
    join(damaged, random() % 2 == 0 ? bytes.size() : random() % 2000);
  }
  EXPECT_FALSE(join({Bytes{}, Bytes{}}, 10).ok);
}

TEST(EhFrame, FoundInARealProgramAndMadeMuchSmaller) {
  const Bytes self = read_file("/proc/self/exe").bytes;
  const auto file = elf::File::parse(self, "self");
  const auto range = find_eh_frame(file);
  ASSERT_TRUE(range);
  const elf::Segment* header = file.find_segment(elf::kSegmentGnuEhFrame);
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(range->address, header->vaddr);
  EXPECT_GT(range->size, header->filesz);
  // All alignments of this program's segments are a page's, so that its tables are in the file
  // where the header's offset says.
  const ByteView bytes = ByteView(self).subspan(header->offset, range->size);
  const auto streams = split_eh_frame(bytes, range->address);
  ASSERT_TRUE(streams);
  std::size_t apart = 0;
  for (const Bytes& stream : *streams) apart += zstd_encode(stream).size();
  EXPECT_LT(apart * 10, zstd_encode(bytes).size() * 7);
}

TEST(EhFrame, FoundBySearchWhereNoHeaderNamesIt) {
  Bytes self = read_file("/proc/self/exe").bytes;
  const auto named = find_eh_frame(elf::File::parse(self, "self"));
  const elf::Segment* header = elf::File::parse(self, "self").find_segment(elf::kSegmentGnuEhFrame);
  ASSERT_TRUE(named);
  ASSERT_NE(header, nullptr);
  // PT_GNU_EH_FRAME to PT_NULL in the program header table.
  std::uint64_t phoff = 0;
  std::memcpy(&phoff, self.data() + 32, 8);
  for (std::size_t at = phoff; at < phoff + 56 * 32; at += 56) {
    std::uint32_t type;
    std::memcpy(&type, self.data() + at, 4);
    if (type == elf::kSegmentGnuEhFrame) {
      set32(self, at, 0);
      break;
    }
  }
  const auto searched = find_eh_frame(elf::File::parse(self, "self"));
  ASSERT_TRUE(searched);
  EXPECT_GE(searched->address, named->address);
  EXPECT_EQ(searched->address + searched->size, named->address + named->size);
}

}  // namespace
}  // namespace whittle::packer
