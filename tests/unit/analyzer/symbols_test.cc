// SPDX-License-Identifier: MIT
#include "analyzer/symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::IsEmpty;

// `readelf` lines of the program's table that name `symbol`.
std::size_t count_with_readelf(const std::string& program, const std::string& table) {
  const test::RunResult result =
      test::run("readelf --wide " + table + " " + test::program_path(program).native() +
                " | grep -cE '^ *[0-9]+: '");
  return std::stoul(result.output);
}

TEST(Symbols, AreAsManyAsReadelfSees) {
  for (const std::string program : {"c_static", "c_dynamic", "c_static_pie", "musl_dynamic"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    const Bytes bytes = test::load_program(program);
    const elf::File file = elf::File::parse(bytes, program);
    const std::size_t all = read_symbols(file).size() + read_dynamic_symbols(file).size();
    EXPECT_EQ(all, count_with_readelf(program, "--symbols")) << program;
  }
}

TEST(Symbols, DynamicOnesAreFoundWithoutSectionHeaders) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  Bytes bytes = test::load_program("c_dynamic");
  const auto with = read_dynamic_symbols(elf::File::parse(bytes, "f"));
  for (std::size_t i = 40; i < 48; i++) bytes[i] = 0;  // e_shoff
  const auto without = read_dynamic_symbols(elf::File::parse(bytes, "f"));
  ASSERT_EQ(with.size(), without.size());
  EXPECT_THAT(without, Contains(AllOf(Field(&Symbol::name, "__libc_start_main"),
                                      Field(&Symbol::defined, false))));
}

TEST(Symbols, NeededVersionsBelongToSymbols) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  const Bytes bytes = test::load_program("c_dynamic");
  const elf::File file = elf::File::parse(bytes, "f");
  const auto versions = read_needed_versions(file);
  ASSERT_FALSE(versions.empty());
  EXPECT_EQ(versions[0].library, "libc.so.6");
  EXPECT_TRUE(versions[0].name.starts_with("GLIBC_2."));
  for (const Symbol& symbol : read_dynamic_symbols(file)) {
    if (symbol.name != "__libc_start_main") continue;
    EXPECT_THAT(versions, Contains(Field(&NeededVersion::index, symbol.version)));
  }
}

TEST(Symbols, AProgramWithoutAnyHasNone) {
  const test::ElfImage image = test::build({});
  const elf::File file = elf::File::parse(image.bytes, "f");
  EXPECT_THAT(read_symbols(file), IsEmpty());
  EXPECT_THAT(read_dynamic_symbols(file), IsEmpty());
  EXPECT_THAT(read_needed_versions(file), IsEmpty());
}

TEST(Symbols, SurviveDamage) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  test::expect_survives(test::load_program("c_dynamic"), 1500, [](ByteView bytes) {
    const elf::File file = elf::File::parse(bytes, "f");
    read_symbols(file);
    read_dynamic_symbols(file);
    read_needed_versions(file);
  });
}

}  // namespace
}  // namespace whittle::analyzer
