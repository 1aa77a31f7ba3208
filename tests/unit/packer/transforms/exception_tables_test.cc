// SPDX-License-Identifier: MIT
#include "packer/transforms/exception_tables.h"

#include <gtest/gtest.h>

#include <random>

#include "common/file.h"
#include "packer/codecs/zstd_encoder.h"
#include "packer/stub/transforms/exception_tables.h"
#include "packer/transforms/parts.h"

namespace whittle::packer {
namespace {

// A table without types: 0..5 no landing pad; 5..c to 0x90, action 1; 0xc..0x8c to 0x88.
const Bytes kTable = {0xff, 0xff, 1, 13, 0, 5, 0, 0, 5, 7, 0x90, 1, 1, 0xc, 0x80, 1, 0x88, 1, 0};

// A table with types whose number is coded too long: not what the join would write.
const Bytes kLongNumber = {0xff, 0x9b, 0x85, 0x00, 1, 4, 0, 1, 0, 0};

bool join(const std::vector<Bytes>& streams, Bytes& out) {
  const auto views = packer::views_of(streams);
  return stub::join_exception_tables(views.data(), views.size(), out.data(), out.size());
}
void expect_comes_back(const Bytes& bytes) {
  Bytes joined(bytes.size(), 0xee);
  EXPECT_TRUE(join(split_exception_tables(bytes), joined));
  EXPECT_EQ(joined, bytes);
}

Bytes sample() {
  Bytes bytes = kTable;
  bytes[3] = 15;  // as many as there are
  return bytes;
}

TEST(ExceptionTables, FieldsApart) {
  const Bytes table = sample();
  const auto streams = split_exception_tables(table);
  EXPECT_EQ(streams[stub::kLsdaHeads], (Bytes{0, 0xff, 15}));
  EXPECT_EQ(streams[stub::kLsdaBegins], (Bytes{0, 0, 0}));
  EXPECT_EQ(streams[stub::kLsdaLengths], (Bytes{5, 7, 0x80, 1}));
  // 0x90 doubled, plus 1; then -8.
  EXPECT_EQ(streams[stub::kLsdaPads], (Bytes{0, 0xa1, 2, 16}));
  EXPECT_EQ(streams[stub::kLsdaActions], (Bytes{0, 1, 0}));
  EXPECT_TRUE(streams[stub::kLsdaRest].empty());
  expect_comes_back(table);
}

TEST(ExceptionTables, WhatIsNoTableIsKept) {
  expect_comes_back({});
  expect_comes_back(kTable);  // its size cuts an entry
  expect_comes_back(kLongNumber);
  EXPECT_EQ(split_exception_tables(kLongNumber)[stub::kLsdaRest], kLongNumber);
  expect_comes_back({0xff, 0xff, 1, 0});
}

TEST(ExceptionTables, ArbitraryBytesComeBack) {
  std::mt19937_64 random(20260901);
  for (int i = 0; i < 4000; i++) {
    Bytes bytes;
    for (std::uint64_t n = random() % 8; n != 0; n--) {
      const Bytes table = random() % 4 != 0 ? sample() : kLongNumber;
      bytes.insert(bytes.end(), table.begin(), table.end());
      for (std::uint64_t k = random() % 4; k != 0; k--) bytes.push_back(0);
    }
    for (std::uint64_t n = random() % 6; n != 0 && !bytes.empty(); n--) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    expect_comes_back(bytes);
  }
}

TEST(ExceptionTables, DamagedStreamsAreRefused) {
  const auto streams = split_exception_tables(sample());
  for (std::size_t s = 0; s < streams.size(); s++) {
    Bytes out(sample().size());
    auto changed = streams;
    changed[s].push_back(0);
    EXPECT_FALSE(join(changed, out)) << s;
    if (streams[s].empty()) continue;
    changed = streams;
    changed[s].pop_back();
    EXPECT_FALSE(join(changed, out)) << s;
  }
  Bytes shorter(sample().size() - 1);
  EXPECT_FALSE(join(streams, shorter));
  EXPECT_FALSE(join({streams[0]}, shorter));
}

TEST(ExceptionTables, FoundInARealProgramAndMadeMuchSmaller) {
  const Bytes self = read_file("/proc/self/exe").bytes;
  const auto file = elf::File::parse(self, "self");
  const auto range = find_exception_tables(file);
  ASSERT_TRUE(range);
  const elf::Segment* header = file.find_segment(elf::kSegmentGnuEhFrame);
  ASSERT_NE(header, nullptr);
  // In the segment of the unwind tables.
  const ByteView bytes =
      ByteView(self).subspan(range->address - header->vaddr + header->offset, range->size);
  std::size_t apart = 0;
  for (const Bytes& stream : split_exception_tables(bytes)) apart += zstd_encode(stream).size();
  EXPECT_LT(apart * 10, zstd_encode(bytes).size() * 8);
}

}  // namespace
}  // namespace whittle::packer
