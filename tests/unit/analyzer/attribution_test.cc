// SPDX-License-Identifier: MIT
#include "analyzer/attribution.h"

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

std::uint64_t sum(const std::vector<Share>& shares) {
  std::uint64_t total = 0;
  for (const Share& share : shares) total += share.bytes;
  return total;
}

std::uint64_t bytes_of(const std::vector<Share>& shares, std::string_view name) {
  for (const Share& share : shares) {
    if (share.name == name) return share.bytes;
  }
  return 0;
}

void expect_sums(const Attribution& found) {
  EXPECT_EQ(sum(found.segments), found.size);
  EXPECT_EQ(sum(found.sections), found.size);
  EXPECT_EQ(sum(found.owners), found.size);
}

TEST(RangeMap, CountsEveryByteOnce) {
  RangeMap map(100);
  EXPECT_EQ(map.add(10, 10, "a"), 10u);
  EXPECT_EQ(map.add(15, 10, "b"), 5u);
  EXPECT_EQ(map.add(0, 30, "c"), 15u);
  EXPECT_EQ(map.add(0, 30, "d"), 0u);
  EXPECT_EQ(map.add(90, 1000, "e"), 10u);
  EXPECT_EQ(map.add(95, UINT64_MAX, "e"), 0u);
  EXPECT_EQ(map.add(200, 1, "f"), 0u);
  EXPECT_EQ(map.add(40, 10, "g"), 10u);
  EXPECT_EQ(map.add(35, 30, "h"), 20u);
  const auto shares = map.shares("rest");
  EXPECT_EQ(sum(shares), 100u);
  EXPECT_EQ(bytes_of(shares, "rest"), 100u - 30 - 30 - 10);
  EXPECT_EQ(bytes_of(shares, "h"), 20u);
}

TEST(RangeMap, HoldsNoMoreThanSoManyLabels) {
  constexpr std::uint64_t kRanges = 300'000;
  RangeMap map(kRanges);
  for (std::uint64_t i = 0; i < kRanges; i++) map.add(i, 1, std::to_string(i));
  const auto shares = map.shares("rest");
  EXPECT_LT(shares.size(), 200'000u);
  EXPECT_EQ(sum(shares), kRanges);
  EXPECT_EQ(bytes_of(shares, "1"), 1u);
  EXPECT_GT(bytes_of(shares, "[others]"), 100'000u);
  RangeMap one(10);
  one.add(0, 10, std::string(100'000, 'x'));
  EXPECT_LT(one.shares("rest").front().name.size(), 1000u);
}

TEST(Attribution, OfRealProgramsAddsUp) {
  for (const std::string program :
       {"c_static", "c_static_pie", "c_dynamic", "c_shared", "musl_static", "go_static",
        "go_without_symbols", "go_pie", "go_mips", "go_arm64", "needs_nothing_rust"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    const Attribution found = attribute(test::load_program(program), program);
    expect_sums(found);
    // What is left is padding: at most a page before each of some segments.
    EXPECT_LT(bytes_of(found.owners, "[between sections]"), 4u * 65536) << program;
  }
}

TEST(Attribution, GoPackagesAreKnownOfStrippedPrograms) {
  WHITTLE_NEEDS_PROGRAM("go_without_symbols");
  const Attribution found = attribute(test::load_program("go_without_symbols"), "f");
  EXPECT_GT(bytes_of(found.owners, "runtime"), 100'000u);
  EXPECT_GT(bytes_of(found.owners, "main"), 0u);
  // The function table is its functions' for all but a small rest.
  const std::uint64_t table = bytes_of(found.sections, ".gopclntab");
  EXPECT_GT(table, 100'000u);
  EXPECT_GT(bytes_of(found.owners, "[Go function table]"), 0u);
  EXPECT_LT(bytes_of(found.owners, "[Go function table]"), table / 50);
  EXPECT_LT(bytes_of(found.owners, "[.text]"), 1000u);  // all code has an owner
  EXPECT_THAT(found.functions, Contains(Field(&Share::name, "main.main")));
}

TEST(Attribution, OfGoProgramsWithoutSectionHeadersIsThatWithThem) {
  WHITTLE_NEEDS_PROGRAM("go_without_symbols");
  Bytes bytes = test::load_program("go_without_symbols");
  const Attribution with = attribute(bytes, "f");
  for (std::size_t i = 40; i < 48; i++) bytes[i] = 0;  // e_shoff
  const Attribution without = attribute(bytes, "f");
  expect_sums(without);
  for (const std::string_view owner : {"runtime", "main", "internal/cpu", "internal/bytealg"}) {
    EXPECT_GT(bytes_of(with.owners, owner), 0u) << owner;
    EXPECT_EQ(bytes_of(with.owners, owner), bytes_of(without.owners, owner)) << owner;
  }
}

TEST(Attribution, CratesAndCAreKnownBySymbols) {
  WHITTLE_NEEDS_PROGRAM("needs_nothing_rust");
  const Attribution found = attribute(test::load_program("needs_nothing_rust"), "f");
  EXPECT_GT(bytes_of(found.owners, "std"), 10'000u);
  EXPECT_GT(bytes_of(found.owners, "core"), 5'000u);
  EXPECT_GT(bytes_of(found.owners, "C"), 100'000u);  // glibc
}

TEST(Attribution, DataOfGoIsItsPackages) {
  WHITTLE_NEEDS_PROGRAM("go_static");
  const Attribution found = attribute(test::load_program("go_static"), "f");
  EXPECT_EQ(bytes_of(found.owners, "C"), 0u);  // none is linked in
  EXPECT_GT(bytes_of(found.owners, "unicode") + bytes_of(found.owners, "runtime"), 1000u);
  EXPECT_LT(bytes_of(found.owners, "[.noptrdata]") + bytes_of(found.owners, "[.data]"), 8192u);
}

TEST(Attribution, CStaysCInGoPrograms) {
  for (const char* program : {"go_cgo_own", "go_cgo"}) {  // linked by Go's linker, and by gcc
    WHITTLE_NEEDS_PROGRAM(program);
    const Attribution found = attribute(test::load_program(program), program);
    expect_sums(found);
    EXPECT_GT(bytes_of(found.owners, "C"), 500u) << program;
    EXPECT_LT(bytes_of(found.owners, "C"), 100'000u) << program;
    EXPECT_EQ(bytes_of(found.owners, "x_cgo_munmap"), 0u) << program;  // of x_cgo_munmap.cold
    EXPECT_GT(bytes_of(found.owners, "runtime"), 100'000u) << program;
  }
}

TEST(Attribution, OwnersOfSymbols) {
  EXPECT_EQ(owner_of_symbol("main"), "C");
  EXPECT_EQ(owner_of_symbol("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"), "core");
  EXPECT_EQ(owner_of_symbol("_ZN58_$LT$std..io..Stdout$u20$as$u20$core..fmt..Write$GT$3foo17hE"),
            "std");
  EXPECT_EQ(owner_of_symbol("_RNvNtCsjrHSEGnQ3l9_3std3env8temp_dir"), "std");
  EXPECT_EQ(owner_of_symbol("_ZN7whittle8analyzer5auditEv"), "whittle");
  EXPECT_EQ(owner_of_symbol("_ZNKSt6vectorIiE4sizeEv"), "std");
  EXPECT_EQ(owner_of_symbol("_ZTVN10__cxxabiv117__class_type_infoE"), "__cxxabiv1");
  EXPECT_EQ(owner_of_symbol("_Z"), "[C++]");
  EXPECT_EQ(owner_of_symbol("_ZN99x"), "[C++]");
  EXPECT_EQ(owner_of_symbol("_R"), "[Rust]");
  EXPECT_EQ(owner_of_symbol("_RCs"), "[Rust]");
}

TEST(Attribution, OfDamagedProgramsAddsUpOrIsAnError) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  test::expect_survives(test::load_program("c_dynamic"), 1000,
                        [](ByteView bytes) { expect_sums(attribute(bytes, "f")); });
  for (const auto& form : test::kGoTableForms) {
    test::GoTable table(form);
    table.functions = {{.name = "a.f", .address = 0x1000, .unit = 0},
                       {.name = "b.f", .address = 0x1100, .unit = 0}};
    table.end = 0x1200;
    table.files = "a.go";
    table.units = {0};
    test::expect_survives(test::elf_with(table), 1000,
                          [](ByteView bytes) { expect_sums(attribute(bytes, "f")); });
  }
  test::expect_error(ErrorKind::refused, [] { attribute(as_bytes("text"), "f"); });
}

}  // namespace
}  // namespace whittle::analyzer
