// SPDX-License-Identifier: MIT
#include "common/foreign_packer.h"

#include "analyzer/analyzer.h"
#include "analyzer/verdict.h"
#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

// As UPX writes it: a checksum, the magic, the stub's size and the format, a zero, the program's
// size and that of a block.
const std::string kHeader("sum.UPX!\x9c\x12\x0d\x16\0\0\0\0\x50\x8b\0\0\x50\x8b\0\0", 24);

ElfImage packed_by_upx(ElfSpec spec, std::string_view notes = "") {
  spec.code = std::string(notes) + kHeader + std::string(200, '\x90') +
              "$Id: UPX 3.96 Copyright (C) 1996 $";
  return build(spec);
}

TEST(ForeignPacker, IsKnownByItsHeader) {
  for (const std::string notes : {"", "a note of 16 b.."}) {
    const Bytes bytes = packed_by_upx({}, notes).bytes;
    const auto packing = find_foreign_packer(elf::File::parse(bytes, "f"));
    ASSERT_TRUE(packing);
    EXPECT_EQ(packing->name, "UPX");
    EXPECT_EQ(packing->version, "3.96");
    EXPECT_EQ(name_and_version(*packing), "UPX 3.96");
  }
  ElfSpec spec;
  spec.is_64bit = false;
  spec.machine = elf::kMachine386;
  const Bytes small = packed_by_upx(spec).bytes;
  EXPECT_TRUE(find_foreign_packer(elf::File::parse(small, "f")));
}

TEST(ForeignPacker, IsNotSeenInWhatOnlySpeaksOfIt) {
  ElfSpec spec;
  spec.code = "UPX! $Id: UPX 3.96 ";
  spec.data = std::string(8000, '\0') + kHeader;
  spec.overlay = kHeader;
  const Bytes bytes = build(spec).bytes;
  EXPECT_FALSE(find_foreign_packer(elf::File::parse(bytes, "f")));
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
  const Bytes asks = packed_by_upx(dynamic).bytes;
  const BinaryReport other = inspect(asks, "f", {.symbols = false});
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
