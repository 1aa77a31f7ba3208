// SPDX-License-Identifier: MIT
#include "packer/go_tables.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <numeric>
#include <random>

#include "common/file.h"
#include "packer/stub/go_tables.h"
#include "packer/zstd_encoder.h"
#include "tests/unit/packer/go_table_builder.h"

namespace whittle {
namespace {

using packer::find_go_tables;
using packer::GoTable;
using packer::split_go_table;
using test::go_table;
using test::GoTableSpec;

constexpr std::uint32_t kMagics[] = {0xfffffff0, 0xfffffff1};

// The joined table; nothing where the streams are damaged. Table and scratch memory are exactly as
// large as they are said to be, so that AddressSanitizer sees what stands outside.
std::optional<Bytes> join(const std::vector<Bytes>& streams, std::size_t size) {
  std::vector<stub::StreamView> views;
  for (const Bytes& stream : streams) views.push_back({stream.data(), stream.size()});
  const std::size_t scratch_size = stub::go_table_scratch(views.data(), views.size(), size);
  std::vector<std::uint64_t> scratch((scratch_size + 7) / 8, 0xdddddddddddddddd);
  Bytes table(size, 0xee);
  if (!stub::join_go_table(views.data(), views.size(), table.data(), size,
                           reinterpret_cast<std::uint8_t*>(scratch.data()), scratch_size)) {
    return std::nullopt;
  }
  return table;
}

TEST(GoTables, ComeBackForEveryVersionAndInstructionSize) {
  for (const std::uint32_t magic : kMagics) {
    for (const std::uint32_t quantum : {1U, 2U, 4U}) {
      for (std::uint64_t seed = 1; seed <= 20; seed++) {
        GoTableSpec spec;
        spec.magic = magic;
        spec.quantum = quantum;
        spec.seed = seed;
        spec.functions = static_cast<std::uint32_t>(1 + seed * 7);
        spec.funcdata_behind = seed % 3 != 0;
        spec.find_functions = seed % 4 != 0;
        const Bytes table = go_table(spec);
        const auto streams = split_go_table(table);
        ASSERT_TRUE(streams) << std::hex << magic << " seed " << seed;
        EXPECT_EQ(join(*streams, table.size()), table);
      }
    }
  }
}

TEST(GoTables, WhatCanBeComputedTakesNoSpace) {
  GoTableSpec spec;
  spec.functions = 500;
  spec.funcdata_behind = false;
  spec.find_functions = false;
  const Bytes without = go_table(spec);
  spec.find_functions = true;
  const Bytes with = go_table(spec);
  const auto size_of = [](const std::vector<Bytes>& streams) {
    return std::accumulate(
        streams.begin(), streams.end(), std::size_t{0},
        [](std::size_t sum, const Bytes& stream) { return sum + stream.size(); });
  };
  const auto streams_without = split_go_table(without), streams_with = split_go_table(with);
  ASSERT_TRUE(streams_without && streams_with);
  EXPECT_GT(with.size(), without.size() + 1000);
  // At most what aligns it.
  EXPECT_LE(size_of(*streams_with), size_of(*streams_without) + 8);
}

TEST(GoTables, AreFoundInASegment) {
  for (const std::uint32_t magic : kMagics) {
    GoTableSpec spec;
    spec.magic = magic;
    const Bytes table = go_table(spec);
    Bytes segment(0x1230, 'x');
    segment.insert(segment.end(), table.begin(), table.end());
    segment.insert(segment.end(), 777, 'y');
    const std::vector<GoTable> found = find_go_tables(segment);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].offset, 0x1230U);
    EXPECT_EQ(found[0].size, table.size());
  }
}

TEST(GoTables, AMagicAloneIsNoTable) {
  Bytes segment(4096);
  for (std::size_t at = 0; at + 8 <= segment.size(); at += 64) {
    std::memcpy(&segment[at], "\xf1\xff\xff\xff\0\0\1\x08", 8);
  }
  EXPECT_TRUE(find_go_tables(segment).empty());
  EXPECT_TRUE(find_go_tables(Bytes()).empty());
  EXPECT_TRUE(find_go_tables(Bytes(71, 0xff)).empty());
  EXPECT_FALSE(split_go_table(Bytes()));
}

// Whatever the bytes are: they come back, or the split says no.
TEST(GoTables, MutatedTablesComeBackOrStayPlain) {
  std::mt19937_64 random(7);
  const Bytes original = go_table();
  std::size_t split = 0, refused = 0;
  for (int round = 0; round < 2000; round++) {
    Bytes table = original;
    for (std::uint64_t i = 1 + random() % 3; i != 0; i--) {
      table[random() % table.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 8 == 0) table.resize(random() % table.size());
    if (const auto streams = split_go_table(table)) {
      split++;
      ASSERT_EQ(join(*streams, table.size()), table) << "round " << round;
    } else {
      refused++;
    }
  }
  EXPECT_GT(split, 100U);
  EXPECT_GT(refused, 100U);
}

TEST(GoTables, DamagedStreamsHarmNothing) {
  std::mt19937_64 random(8);
  const Bytes table = go_table();
  const auto streams = split_go_table(table);
  ASSERT_TRUE(streams);
  std::size_t refused = 0;
  for (int round = 0; round < 4000; round++) {
    std::vector<Bytes> damaged = *streams;
    Bytes& stream = damaged[random() % damaged.size()];
    switch (random() % 3) {
      case 0:
        if (!stream.empty()) stream[random() % stream.size()] = static_cast<std::uint8_t>(random());
        break;
      case 1:
        stream.resize(stream.empty() ? 0 : random() % stream.size());
        break;
      default:
        stream.resize(stream.size() + 1 + random() % 9, static_cast<std::uint8_t>(random()));
    }
    const std::size_t size = random() % 5 == 0 ? random() % (2 * table.size()) : table.size();
    if (!join(damaged, size)) refused++;
  }
  EXPECT_GT(refused, 1000U);
}

TEST(GoTables, StreamsOfTheWrongLengthAreDamage) {
  const Bytes table = go_table();
  const auto streams = split_go_table(table);
  ASSERT_TRUE(streams);
  for (std::size_t i = 0; i < streams->size(); i++) {
    std::vector<Bytes> longer = *streams;
    longer[i].push_back(0);
    EXPECT_FALSE(join(longer, table.size())) << "stream " << i;
    if ((*streams)[i].empty()) continue;
    std::vector<Bytes> shorter = *streams;
    shorter[i].pop_back();
    EXPECT_FALSE(join(shorter, table.size())) << "stream " << i;
  }
  EXPECT_FALSE(join({}, table.size()));
  EXPECT_FALSE(join(*streams, table.size() + 1));
  EXPECT_FALSE(join(*streams, 0));
}

TEST(GoTables, TooLittleScratchIsRefused) {
  const Bytes table = go_table();
  const auto streams = split_go_table(table);
  ASSERT_TRUE(streams);
  std::vector<stub::StreamView> views;
  for (const Bytes& stream : *streams) views.push_back({stream.data(), stream.size()});
  const std::size_t needed = stub::go_table_scratch(views.data(), views.size(), table.size());
  ASSERT_GT(needed, 0U);
  std::vector<std::uint64_t> scratch(needed / 8);
  Bytes out(table.size());
  EXPECT_FALSE(stub::join_go_table(views.data(), views.size(), out.data(), out.size(),
                                   reinterpret_cast<std::uint8_t*>(scratch.data()), needed - 1));
}

// The table of a program that Go's own linker wrote; CMakeLists.txt builds one for each machine.
class GoProgram : public testing::TestWithParam<const char*> {};

TEST_P(GoProgram, TableComesBackAtTwoThirdsOfItsCompressedSize) {
  const std::filesystem::path path = std::filesystem::path(WHITTLE_TEST_GO_PROGRAMS) / GetParam();
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << path << " was not built: Go was missing when cmake ran (golang-go)";
  }
  const Bytes file = read_file(path).bytes;
  const std::vector<GoTable> tables = find_go_tables(file);
  ASSERT_EQ(tables.size(), 1U);
  const ByteView table = ByteView(file).subspan(tables[0].offset, tables[0].size);
  const auto streams = split_go_table(table);
  ASSERT_TRUE(streams);
  EXPECT_EQ(join(*streams, table.size()), Bytes(table.begin(), table.end()));
  std::uint64_t split_size = 0;
  for (const Bytes& stream : *streams) split_size += packer::zstd_estimate(stream);
  EXPECT_LT(split_size * 3, packer::zstd_estimate(table) * 2);
}

INSTANTIATE_TEST_SUITE_P(Machines, GoProgram, testing::Values("go_amd64", "go_arm64", "go_riscv64"),
                         [](const auto& machine) { return std::string(machine.param); });

}  // namespace
}  // namespace whittle
