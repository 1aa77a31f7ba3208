// SPDX-License-Identifier: MIT
#include "analyzer/go_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/analyzer/go_table_builder.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {
namespace {

using testing::Contains;
using testing::Field;

TEST(GoFunctions, CoverTheCode) {
  for (const std::string program : {"go_static", "go_without_symbols", "go_arm64", "go_mips"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    const Bytes bytes = test::load_program(program);
    const elf::File file = elf::File::parse(bytes, program);
    const auto table = read_go_functions(file);
    ASSERT_TRUE(table) << program;
    EXPECT_THAT(table->functions, Contains(Field(&GoFunction::name, "main.main"))) << program;
    std::uint64_t covered = 0, previous = 0;
    for (const GoFunction& function : table->functions) {
      EXPECT_GE(function.address, previous);
      previous = function.address;
      covered += function.size;
    }
    const elf::Section* text = file.find_section(".text");
    ASSERT_NE(text, nullptr);
    EXPECT_EQ(table->functions.front().address, text->addr) << program;
    EXPECT_GE(covered * 100, text->size * 99) << program;
    EXPECT_LE(covered, text->size) << program;
  }
}

TEST(GoFunctions, AgreeWithTheSymbolTable) {
  WHITTLE_NEEDS_PROGRAM("go_static");
  const Bytes bytes = test::load_program("go_static");
  const auto table = read_go_functions(elf::File::parse(bytes, "f"));
  ASSERT_TRUE(table);
  const auto nm = test::run("nm " + test::program_path("go_static").native() +
                            " | grep ' T main.main$' | cut -d ' ' -f 1");
  const auto main = std::find_if(table->functions.begin(), table->functions.end(),
                                 [](const GoFunction& f) { return f.name == "main.main"; });
  ASSERT_NE(main, table->functions.end());
  EXPECT_EQ(main->address, std::stoull(nm.output, nullptr, 16));
}

TEST(GoFunctions, AreFoundWithoutSectionHeaders) {
  WHITTLE_NEEDS_PROGRAM("go_static");
  Bytes bytes = test::load_program("go_static");
  const auto with = read_go_functions(elf::File::parse(bytes, "f"));
  for (std::size_t i = 40; i < 48; i++) bytes[i] = 0;  // e_shoff
  const elf::File file = elf::File::parse(bytes, "f");
  EXPECT_TRUE(has_go_functions(file));
  const auto without = read_go_functions(file);
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->offset, without->offset);
  EXPECT_EQ(with->functions.size(), without->functions.size());
}

// No compiler at hand writes these layouts.
TEST(GoFunctions, OfGo12AreRead) {
  std::string table;
  const auto number = [&](int width, std::uint64_t value) {
    for (int i = 0; i < width; i++) table += static_cast<char>(value >> (8 * i));
  };
  number(4, 0xfffffffb);
  table += std::string("\0\0\1\x8", 4);
  number(8, 2);                                       // functions
  const std::uint64_t record = table.size() + 5 * 8;  // behind the list
  number(8, 0x1000), number(8, record), number(8, 0x1100), number(8, record + 12);
  number(8, 0x1180);
  const std::uint64_t names = record + 24;
  number(8, 0x1000), number(4, names + 1);
  number(8, 0x1100), number(4, names + 11);
  table += std::string("\0main.main\0main.help\0", 21);
  test::ElfSpec spec;
  spec.data = table;
  const test::ElfImage image = test::build(spec);
  const auto found = read_go_functions(elf::File::parse(image.bytes, "f"));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->layout.has_parts);
  ASSERT_EQ(found->functions.size(), 2u);
  EXPECT_EQ(found->functions[0].name, "main.main");
  EXPECT_EQ(found->functions[0].address, 0x1000u);
  EXPECT_EQ(found->functions[0].size, 0x100u);
  EXPECT_EQ(found->functions[1].name, "main.help");
  EXPECT_EQ(found->functions[1].size, 0x80u);
}

class GoVersions : public testing::TestWithParam<test::GoTableForm> {};

TEST_P(GoVersions, AreRead) {
  test::GoTable table(GetParam());
  table.functions = {{.name = "main.main", .address = 0x1000},
                     {.name = "main.help", .address = 0x1100}};
  table.end = 0x1180;
  const Bytes bytes = test::elf_with(table);
  const auto found = read_go_functions(elf::File::parse(bytes, "f"));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->functions.size(), 2u);
  EXPECT_EQ(found->functions[0].name, "main.main");
  EXPECT_EQ(found->functions[0].address, 0x1000u);
  EXPECT_EQ(found->functions[0].size, 0x100u);
  EXPECT_EQ(found->functions[1].name, "main.help");
  EXPECT_EQ(found->functions[1].size, 0x80u);
}

INSTANTIATE_TEST_SUITE_P(All, GoVersions, testing::ValuesIn(test::kGoTableForms),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(GoFunctions, SurviveDamage) {
  WHITTLE_NEEDS_PROGRAM("go_needs/nothing");
  const Bytes bytes = test::load_program("go_needs/nothing");
  const auto table = read_go_functions(elf::File::parse(bytes, "f"));
  ASSERT_TRUE(table);
  // The table alone in a small file, so that damage hits it.
  test::ElfSpec spec;
  spec.data = as_text(ByteView(bytes).subspan(table->offset, table->size));
  const Bytes small = test::build(spec).bytes;
  ASSERT_TRUE(read_go_functions(elf::File::parse(small, "f")));
  test::expect_survives(
      small, 200, [](ByteView damaged) { read_go_functions(elf::File::parse(damaged, "f")); });
}

}  // namespace
}  // namespace whittle::analyzer
