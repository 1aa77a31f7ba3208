// SPDX-License-Identifier: MIT
#include "analyzer/foreign_packer.h"

#include "analyzer/analyzer.h"
#include "analyzer/verdict.h"
#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

// As UPX writes it: a checksum and the magic right behind the program headers.
ElfImage packed_by_upx(ElfSpec spec) {
  spec.code = "sum.UPX!" + std::string(200, '\x90') + "$Id: UPX 3.96 Copyright (C) 1996 $";
  return build(spec);
}

TEST(ForeignPacker, IsKnownByItsMagicBehindTheProgramHeaders) {
  for (const bool is_64bit : {true, false}) {
    ElfSpec spec;
    spec.is_64bit = is_64bit;
    spec.machine = is_64bit ? elf::kMachineX86_64 : elf::kMachine386;
    ElfImage image = packed_by_upx(spec);
    const std::uint64_t end = is_64bit ? 64 + 2 * 56 : 52 + 2 * 32;
    for (std::size_t i = 0; i < 4; i++)
      image.bytes[end + 4 + i] = static_cast<std::uint8_t>("UPX!"[i]);
    const auto packing = find_foreign_packer(elf::File::parse(image.bytes, "f"));
    ASSERT_TRUE(packing);
    EXPECT_EQ(packing->packer, "UPX");
    EXPECT_EQ(packing->version, "3.96");
    EXPECT_TRUE(packing->hidden);
  }
}

TEST(ForeignPacker, IsKnownByTheEndOfTheFile) {
  ElfSpec spec;
  spec.overlay = std::string(1000, 'x') + "UPX!" + std::string(32, '\0');
  const auto packing = find_foreign_packer(elf::File::parse(build(spec).bytes, "f"));
  ASSERT_TRUE(packing);
  EXPECT_EQ(packing->version, "");
  spec.overlay += std::string(100, '\0');  // a program that speaks of UPX is not packed by it
  const Bytes other = build(spec).bytes;
  EXPECT_FALSE(find_foreign_packer(elf::File::parse(other, "f")));
}

TEST(ForeignPacker, HidesWhetherAProgramIsStatic) {
  const Bytes bytes = packed_by_upx({}).bytes;
  const BinaryReport report = inspect(bytes, "f", {.symbols = false});
  EXPECT_EQ(report.kind, Kind::packed);
  ASSERT_EQ(report.reasons.size(), 1u);
  EXPECT_EQ(report.reasons[0].id, "packed/contents-hidden");
  EXPECT_THAT(report.reasons[0].text, HasSubstr("packed by UPX 3.96"));
  ASSERT_TRUE(report.packing);
  expect_error(ErrorKind::refused, [&] { strip(bytes, "f"); });

  ElfSpec dynamic;
  dynamic.needed = {"libc.so.6"};
  dynamic.overlay = "UPX!" + std::string(32, '\0');
  const BinaryReport other = inspect(build(dynamic).bytes, "f", {.symbols = false});
  EXPECT_EQ(other.kind, Kind::dynamic_executable);
  EXPECT_THAT(other.warnings, Contains(HasSubstr("packed by UPX")));
}

TEST(ForeignPacker, IsNotSeenInOrdinaryPrograms) {
  for (const std::string program : {"c_static", "musl_static", "go_static", "c_dynamic"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    const Bytes bytes = test::load_program(program);
    EXPECT_FALSE(find_foreign_packer(elf::File::parse(bytes, program))) << program;
  }
}

TEST(ForeignPacker, SurvivesDamage) {
  test::expect_survives(packed_by_upx({}).bytes, 2000, [](ByteView damaged) {
    find_foreign_packer(elf::File::parse(damaged, "f"));
  });
}

}  // namespace
}  // namespace whittle::analyzer
