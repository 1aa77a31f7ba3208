// SPDX-License-Identifier: MIT
#include "analyzer/go_table_parts.h"

#include <map>

#include "tests/unit/analyzer/go_table_builder.h"
#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

using test::GoTable;
using testing::Pair;
using testing::UnorderedElementsAre;

// The owner of each byte of a table.
class OwnerMap {
 public:
  OwnerMap(Bytes bytes, std::string_view path) : bytes_(std::move(bytes)) {
    const elf::File file = elf::File::parse(bytes_, path);
    const auto table = read_go_functions(file);
    if (!table) return;
    found = true;
    owners_.resize(table->size);
    end = for_each_go_table_part(
              file, *table,
              [&](std::uint64_t offset, std::uint64_t size, std::string_view function) {
                ASSERT_GE(offset, table->offset);
                ASSERT_TRUE(in_bounds(offset - table->offset, size, table->size));
                for (std::uint64_t i = 0; i < size; i++) {
                  std::string_view& owner = owners_[offset - table->offset + i];
                  if (owner.data() != nullptr) twice++;
                  owner = function;
                }
              }) -
          table->offset;
    for (const std::string_view owner : owners_) {
      if (owner.data() == nullptr) nobodys++;
    }
  }

  // Bytes of each owner in a range; "-" for nobody.
  std::map<std::string, std::uint64_t> between(std::uint64_t begin, std::uint64_t stop) const {
    std::map<std::string, std::uint64_t> out;
    for (std::uint64_t at = begin; at < stop; at++) {
      out[owners_.at(at).data() == nullptr ? "-" : std::string(owners_.at(at))]++;
    }
    return out;
  }

  bool found = false;
  std::uint64_t end = 0, twice = 0, nobodys = 0;

 private:
  Bytes bytes_;
  std::vector<std::string_view> owners_;  // into the bytes
};

// Two packages with a unit each; they share a pc table and a file. Function c has neither.
GoTable sample(const test::GoTableForm& form) {
  GoTable table(form);
  table.inlined = {"a.inlined"};
  table.files = std::string("a.go\0b.go\0both.go\0", 18);
  table.units = {0, 10, 5, 10};  // unit of a: a.go, both.go; of b: b.go, both.go
  table.pcs = std::string("\0\2\1\0\2\2\0\2\3\1\1\0", 12);  // at 1, 4 and 7
  table.functions = {
      {.name = "a.f", .address = 0x1000, .pc_tables = {1, 4, 0}, .unit = 0},
      {.name = "b.f", .address = 0x1100, .pc_tables = {1, 7, 0}, .pcdata = {0, 4, 7}, .unit = 2},
      {.name = "c.f", .address = 0x1200, .data = {0xffffffff, 0xffffffff}},
  };
  table.end = 0x1300;
  return table;
}

class GoTableParts : public testing::TestWithParam<test::GoTableForm> {};

TEST_P(GoTableParts, BelongToTheirFunctions) {
  const GoTable table = sample(GetParam());
  const GoTable::Built at = table.build();
  const OwnerMap owners(test::elf_with(table), "f");
  ASSERT_TRUE(owners.found);
  EXPECT_EQ(owners.twice, 0u);
  EXPECT_EQ(owners.end, at.bytes.size());

  EXPECT_THAT(owners.between(0, at.names), ElementsAre(Pair("-", at.names)));
  EXPECT_THAT(
      owners.between(at.names, at.names + 22),
      UnorderedElementsAre(Pair("a.f", 4), Pair("b.f", 4), Pair("c.f", 4), Pair("a.inlined", 10)));
  EXPECT_THAT(owners.between(at.units, at.files),
              UnorderedElementsAre(Pair("a.f", 8), Pair("b.f", 8)));
  // The shared file is that of the first user. What stands behind the last one is its padding.
  EXPECT_THAT(owners.between(at.files, at.files + 18),
              UnorderedElementsAre(Pair("a.f", 5 + 8), Pair("b.f", 5)));
  EXPECT_THAT(owners.between(at.pcs, at.pcs + 12),
              UnorderedElementsAre(Pair("-", 1), Pair("a.f", 3 + 3), Pair("b.f", 5)));

  const bool go116 = table.form.magic == 0xfffffffa;
  const std::uint64_t word = table.form.is_64bit ? 8 : 4, field = go116 ? word : 4;
  EXPECT_THAT(owners.between(at.functions, at.functions + 7 * field),
              UnorderedElementsAre(Pair("a.f", 2 * field), Pair("b.f", 2 * field),
                                   Pair("c.f", 2 * field), Pair("-", field)));
  const std::uint64_t record = field + (table.form.magic == 0xfffffff1 ? 40 : 36);
  const std::uint64_t c_data = go116 ? align_up(record, word) + 2 * word : record + 8;
  // The padding in front of a record is its function's as well.
  const std::uint64_t a_end = at.records[0] + record, b_end = at.records[1] + record + 12;
  EXPECT_THAT(owners.between(at.records[0], at.bytes.size()),
              UnorderedElementsAre(Pair("a.f", record), Pair("b.f", b_end - a_end),
                                   Pair("c.f", at.records[2] - b_end + c_data)));
}

TEST_P(GoTableParts, SurviveDamage) {
  const Bytes bytes = test::elf_with(sample(GetParam()));
  int read = 0;
  test::expect_survives(bytes, 2000, [&](ByteView damaged) {
    const OwnerMap owners(Bytes(damaged.begin(), damaged.end()), "f");
    read += owners.found;
  });
  EXPECT_GT(read, 200);
}

INSTANTIATE_TEST_SUITE_P(All, GoTableParts, testing::ValuesIn(test::kGoTableForms),
                         [](const auto& tested) { return std::string(tested.param.name); });

// Since Go 1.26 the functions' data stands behind the records, where some word of padding may be.
TEST(GoTableParts, DataBehindTheRecordsBelongsToItsFunctions) {
  GoTable table(test::kGoTableForms[4]);
  std::string data;
  const auto number = [&](std::uint32_t value) {
    for (int i = 0; i < 4; i++) data += static_cast<char>(value >> (8 * i));
  };
  constexpr std::uint32_t kFunctions = 20, kNone = 0xffffffff;
  for (std::uint32_t i = 0; i < kFunctions; i++) {
    // A map of pointers, which two functions share, and a tree of one inlined call.
    if (i % 2 == 0) number(0x01010101);
    const auto map = static_cast<std::uint32_t>(data.size() - (i % 2 == 0 ? 4 : 20));
    const auto tree = static_cast<std::uint32_t>(data.size());
    number(0x02020202), number(4 * i), number(0x03030303), number(0x04040404);
    const std::string name = {static_cast<char>('a' + i), '.', 'f'};
    table.functions.push_back(
        {.name = name, .address = 0x1000 + 0x10 * i, .data = {map, kNone, kNone, tree}});
  }
  number(0x05050505);  // somebody's: the last start is known and how long it is, is not
  table.end = 0x2000;
  const std::uint64_t records_end = table.build().bytes.size();
  for (const std::string padding : {"", "\x7f\x7f\x7f\x7f"}) {
    table.behind = padding + data;
    const OwnerMap owners(test::elf_with(table), "f");
    ASSERT_TRUE(owners.found);
    const std::uint64_t begin = records_end + padding.size();
    EXPECT_EQ(owners.end, begin + data.size() - 20);
    EXPECT_EQ(owners.twice, 0u);
    EXPECT_THAT(owners.between(begin, begin + 56),
                UnorderedElementsAre(Pair("a.f", 20), Pair("b.f", 16), Pair("c.f", 20)));
  }
  table.behind = std::string(4, '\x7f') + data.substr(0, data.size() - 24);  // the last tree's gone
  EXPECT_EQ(OwnerMap(test::elf_with(table), "f").end, records_end);
}

// Records that overlap, each with the longest list that fits: were all of them taken at their word,
// this would take the square of the table's size.
TEST(GoTableParts, OverlappingRecordsCostNoMoreThanTheTable) {
  GoTable table(test::kGoTableForms[2]);
  constexpr std::uint32_t kFunctions = 40'000;
  for (std::uint32_t i = 0; i < kFunctions; i++) {
    table.functions.push_back({.name = "a.f", .address = 0x1000 + i});
  }
  table.end = 0x1000 + kFunctions;
  const GoTable::Built at = table.build();
  test::ElfImage image = test::elf_image_with(table);
  for (std::uint32_t i = 0; i < kFunctions; i++) {
    image.set(image.data + at.records[i] + 28, 4, (kFunctions - i) * 40 / 4 - 10);
  }
  std::uint64_t taken = 0;
  const elf::File file = elf::File::parse(image.bytes, "f");
  const auto found = read_go_functions(file);
  ASSERT_TRUE(found);
  for_each_go_table_part(
      file, *found, [&](std::uint64_t, std::uint64_t size, std::string_view) { taken += size; });
  EXPECT_LT(taken, 3 * image.bytes.size());
}

TEST(GoTableParts, OfRealProgramsAreNearlyAllOfTheTable) {
  for (const std::string program :
       {"go_static", "go_without_symbols", "go_pie", "go_mips", "go_arm64"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    const OwnerMap owners(test::load_program(program), program);
    ASSERT_TRUE(owners.found) << program;
    EXPECT_EQ(owners.twice, 0u) << program;
    // Since Go 1.26 an index of the code's addresses is among them, five bytes for four hundred.
    EXPECT_LT(owners.nobodys * 50, owners.end) << program;
  }
}

}  // namespace
}  // namespace whittle::analyzer
