// SPDX-License-Identifier: MIT
#include "packer/transforms/relocations.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "common/file.h"
#include "packer/codecs/zstd_encoder.h"
#include "packer/stub/transforms/relocations.h"
#include "packer/transforms/parts.h"

namespace whittle::packer {
namespace {

void put64(Bytes& to, std::uint64_t value) {
  for (int i = 0; i < 8; i++) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
Bytes entry(std::uint64_t offset, std::uint64_t info, std::int64_t addend) {
  Bytes bytes;
  put64(bytes, offset);
  put64(bytes, info);
  put64(bytes, static_cast<std::uint64_t>(addend));
  return bytes;
}
Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool join(const std::vector<Bytes>& streams, Bytes& out) {
  const auto views = packer::views_of(streams);
  return stub::join_relocations(views.data(), views.size(), out.data(), out.size());
}

TEST(Relocations, StepsAndAddendsApart) {
  const Bytes table = entry(0x1000, 8, 0x12345678) + entry(0x1008, 8, -2) + entry(0xff8, 8, 0);
  const auto streams = split_relocations(table);
  ASSERT_TRUE(streams);
  // 0x1000, +8, -0x10: doubled, a negative one's complement; each with r_info 8.
  EXPECT_EQ((*streams)[stub::kRelaWhere], (Bytes{0x80, 0x40, 8, 0x10, 8, 0x1f, 8}));
  EXPECT_EQ((*streams)[stub::kRelaAddends],
            (Bytes{0x12, 0x34, 0x56, 0x78, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0}));
}

TEST(Relocations, WhatCannotComeBackIsLeftAlone) {
  EXPECT_FALSE(split_relocations(entry(0x1000, 8, std::int64_t{1} << 31)));
  EXPECT_FALSE(split_relocations(Bytes(25)));
  EXPECT_TRUE(split_relocations(entry(UINT64_MAX, UINT64_MAX, INT32_MIN)));
}

TEST(Relocations, ArbitraryTablesComeBackOrAreLeftAlone) {
  std::mt19937_64 random(20260801);
  for (int i = 0; i < 2000; i++) {
    Bytes table;
    const std::uint64_t kind = random() % 3;
    for (std::uint64_t n = random() % 60; n != 0; n--) {
      table = table + entry(random() >> random() % 64, random() >> random() % 64,
                            kind == 0 ? static_cast<std::int64_t>(random())
                                      : static_cast<std::int32_t>(random()));
    }
    const auto streams = split_relocations(table);
    ASSERT_TRUE(streams || kind == 0);
    if (!streams) continue;
    Bytes joined(table.size(), 0xee);
    EXPECT_TRUE(join(*streams, joined));
    EXPECT_EQ(joined, table) << "case " << i;
  }
}

TEST(Relocations, DamagedStreamsAreRefused) {
  const Bytes table = entry(0x1000, 8, 1) + entry(0x1008, 8, 2);
  const auto streams = *split_relocations(table);
  for (std::size_t s = 0; s < streams.size(); s++) {
    Bytes out(table.size());
    auto cut = streams;
    cut[s].pop_back();
    EXPECT_FALSE(join(cut, out)) << s;
    auto longer = streams;
    longer[s].push_back(0);
    EXPECT_FALSE(join(longer, out)) << s;
  }
  Bytes out(table.size());
  EXPECT_FALSE(join({streams[0]}, out));
  EXPECT_FALSE(join({Bytes(40, 0xff), streams[1]}, out));
  Bytes odd(table.size() - 1);
  EXPECT_FALSE(join(streams, odd));
}

TEST(Relocations, FoundInARealProgramAndMadeMuchSmaller) {
  const Bytes self = read_file("/proc/self/exe").bytes;
  const auto range = find_relocations(elf::File::parse(self, "self"));
  ASSERT_TRUE(range);
  // The table lies in the first segment, where addresses are file offsets.
  const ByteView table = ByteView(self).subspan(range->address, range->size);
  const auto streams = split_relocations(table);
  ASSERT_TRUE(streams);
  std::size_t apart = 0;
  for (const Bytes& stream : *streams) apart += zstd_encode(stream).size();
  EXPECT_LT(apart * 10, zstd_encode(table).size() * 8);
}

}  // namespace
}  // namespace whittle::packer
