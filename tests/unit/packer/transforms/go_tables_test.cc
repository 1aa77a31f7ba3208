// SPDX-License-Identifier: MIT
#include "packer/transforms/go_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <random>

#include "common/file.h"
#include "packer/codecs/zstd_encoder.h"
#include "packer/stub/transforms/go_tables.h"
#include "packer/transforms/parts.h"
#include "tests/unit/packer/transforms/go_table_builder.h"

namespace whittle {
namespace {

using packer::find_go_tables;
using packer::GoTable;
using packer::split_go_table;
using test::go_table;
using test::GoFuncdata;
using test::GoTableSpec;

constexpr std::uint32_t kMagics[] = {0xfffffff0, 0xfffffff1};

constexpr GoTableSpec kDamagedSpecs[] = {
    {},
    {.magic = 0xfffffff0, .quantum = 4, .funcdata = GoFuncdata::in_front},
};

// The joined table; nothing where the streams are damaged. Table and scratch memory are exactly as
// large as they are said to be, so that AddressSanitizer sees what stands outside.
std::optional<Bytes> join(const std::vector<Bytes>& streams, std::size_t size) {
  const auto views = packer::views_of(streams);
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
        spec.funcdata = static_cast<GoFuncdata>(seed % 3);
        spec.find_functions = seed % 4 != 0;
        const Bytes table = go_table(spec);
        const auto streams = split_go_table(table);
        ASSERT_TRUE(streams) << std::hex << magic << " seed " << seed;
        EXPECT_EQ(join(*streams, table.size()), table);
      }
    }
  }
}

// The linker stores equal tables of a function once, whatever their columns are.
TEST(GoTables, ComeBackWhereTwoColumnsAreTheSameTable) {
  for (const std::uint32_t magic : kMagics) {
    for (std::size_t a = 0; a < 7; a++) {
      for (std::size_t b = 0; b < 7; b++) {
        if (a == b) continue;
        const Bytes table = go_table({.magic = magic, .functions = 60, .same = {a, b}});
        const auto streams = split_go_table(table);
        ASSERT_TRUE(streams) << std::hex << magic << ": columns " << a << " and " << b << ": "
                             << streams.why;
        EXPECT_EQ(join(*streams, table.size()), table);
      }
    }
  }
}

std::uint32_t parameter(const std::vector<Bytes>& streams, stub::GoParameter which) {
  std::uint32_t value;
  std::memcpy(&value, &streams[stub::kParameters].at(std::size_t{4} * which), 4);
  return value;
}

// Of the words of a region those that the streams hold as they are, 0 for each that is computed.
std::size_t plain_words(const std::vector<Bytes>& streams) {
  const Bytes& plain = streams[stub::kPlain];
  std::size_t words = 0;
  for (std::size_t at = 0; at + 4 <= plain.size(); at += 4) {
    words += std::any_of(plain.begin() + static_cast<std::ptrdiff_t>(at),
                         plain.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                         [](std::uint8_t byte) { return byte != 0; });
  }
  return words;
}

TEST(GoTables, WhatCanBeComputedIsNotKept) {
  for (const std::uint32_t magic : kMagics) {
    for (const GoFuncdata funcdata : {GoFuncdata::behind, GoFuncdata::in_front}) {
      GoTableSpec spec;
      spec.magic = magic;
      spec.functions = 500;
      spec.funcdata = GoFuncdata::nowhere;
      const auto without = split_go_table(go_table(spec));
      spec.funcdata = funcdata;
      const Bytes table = go_table(spec);
      const auto with = split_go_table(table);
      ASSERT_TRUE(without && with);
      EXPECT_NE(parameter(*with, stub::kGoFuncOffset), stub::kNowhere);
      EXPECT_NE(parameter(*with, stub::kFindFuncOffset), stub::kNowhere);
      EXPECT_GT((*with)[stub::kTreeSizes].size(), 300U);
      EXPECT_EQ((*without)[stub::kTreeSizes].size(), 0U);
      // What is left are the stack maps between the trees, two words a function on average. The
      // trees have more than four times as many.
      EXPECT_GT(plain_words(*with), plain_words(*without) + 500);
      EXPECT_LT(plain_words(*with), plain_words(*without) + 2000);
    }
  }
}

TEST(GoTables, AreFoundInASegmentWithWhatBelongsToThem) {
  for (const std::uint32_t magic : kMagics) {
    for (const GoFuncdata funcdata :
         {GoFuncdata::nowhere, GoFuncdata::behind, GoFuncdata::in_front}) {
      GoTableSpec spec;
      spec.magic = magic;
      spec.funcdata = funcdata;
      const Bytes region = go_table(spec);
      Bytes segment(0x1230, 'x');
      segment.insert(segment.end(), region.begin(), region.end());
      segment.insert(segment.end(), 777, 'y');
      const std::vector<GoTable> found = find_go_tables(segment);
      ASSERT_EQ(found.size(), 1U);
      EXPECT_LT(found[0].offset, 0x1230U + 100);  // stack maps of the first functions may go before
      EXPECT_GE(found[0].offset, 0x1230U);
      EXPECT_EQ(found[0].offset + found[0].size, 0x1230U + region.size());
    }
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
  std::size_t split = 0, refused = 0;
  for (const GoTableSpec& spec : kDamagedSpecs) {
    const Bytes original = go_table(spec);
    for (int round = 0; round < 1000; round++) {
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
  }
  EXPECT_GT(split, 100U);
  EXPECT_GT(refused, 100U);
}

TEST(GoTables, DamagedStreamsHarmNothing) {
  std::mt19937_64 random(8);
  std::size_t refused = 0;
  for (const GoTableSpec& spec : kDamagedSpecs) {
    const Bytes table = go_table(spec);
    const auto streams = split_go_table(table);
    ASSERT_TRUE(streams);
    for (int round = 0; round < 2000; round++) {
      std::vector<Bytes> damaged = *streams;
      Bytes& stream = damaged[round % 4 == 0 ? 0 : random() % damaged.size()];
      switch (random() % 3) {
        case 0:
          if (!stream.empty()) {
            stream[random() % stream.size()] = static_cast<std::uint8_t>(random());
          }
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

// An inlining tree of more nodes than there are slots for, in a function that looks sound
// otherwise.
TEST(GoTables, MoreNodesThanSlotsAreDamage) {
  const Bytes table = go_table({.functions = 500});
  auto streams = split_go_table(table);
  ASSERT_TRUE(streams);
  const auto set_parameter = [&](stub::GoParameter which, std::uint32_t value) {
    std::memcpy(&(*streams)[stub::kParameters].at(std::size_t{4} * which), &value, sizeof value);
  };
  set_parameter(stub::kMostSlots, 1);
  set_parameter(stub::kMemoryNodes, 1);
  (*streams)[stub::kShapes] = {3, 4, 0, 0};          // three pc tables, four funcdata
  (*streams)[stub::kDataReferences] = {0, 0, 0, 1};  // of which the tree is new
  (*streams)[stub::kDataOffsets] = {0};
  (*streams)[stub::kTreeSizes] = {200};
  (*streams)[stub::kTableReferences] = Bytes(8, 1);
  (*streams)[stub::kStepKinds] = {3, 0};           // one step
  (*streams)[stub::kNodeParents] = Bytes(200, 0);  // where all nodes are called
  EXPECT_FALSE(join(*streams, table.size()));
}

TEST(GoTables, TooLittleScratchIsRefused) {
  const Bytes table = go_table();
  const auto streams = split_go_table(table);
  ASSERT_TRUE(streams);
  const auto views = packer::views_of(*streams);
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
