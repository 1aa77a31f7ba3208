// SPDX-License-Identifier: MIT
#include "analyzer/verdict.h"

#include <algorithm>

#include "analyzer/attribution.h"
#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

Verdict judge_bytes(ByteView bytes) {
  const elf::File file = elf::File::parse(bytes, "f");
  return judge(file, elf::system_of(file));
}

std::vector<std::string> ids(const Verdict& verdict) {
  std::vector<std::string> ids;
  for (const Reason& reason : verdict.reasons) ids.push_back(reason.id);
  return ids;
}

ElfSpec position_independent() {
  ElfSpec spec;
  spec.type = elf::kTypeDyn;
  return spec;
}

TEST(Verdict, StaticExecutable) {
  const Verdict verdict = judge_bytes(build({}).bytes);
  EXPECT_EQ(verdict.kind, Kind::static_executable);
  EXPECT_THAT(ids(verdict), ElementsAre("type/exec", "static/no-interpreter", "static/no-needed"));
  EXPECT_THAT(verdict.warnings, ElementsAre());
}

TEST(Verdict, EveryReasonOfADynamicExecutable) {
  ElfSpec spec;
  spec.interpreter = "/lib64/ld-linux-x86-64.so.2";
  spec.needed = {"libm.so.6", "libc.so.6"};
  const Verdict verdict = judge_bytes(build(spec).bytes);
  EXPECT_EQ(verdict.kind, Kind::dynamic_executable);
  EXPECT_THAT(ids(verdict),
              ElementsAre("dynamic/interpreter", "dynamic/needed", "dynamic/needed", "type/exec"));
  EXPECT_EQ(verdict.reasons[0].text, "asks for the interpreter /lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(verdict.reasons[1].text, "needs the shared library libm.so.6");
  EXPECT_THAT(verdict.needed, ElementsAre("libm.so.6", "libc.so.6"));
}

TEST(Verdict, AnInterpreterAloneIsEnough) {
  ElfSpec spec;
  spec.interpreter = "/lib/ld.so";
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::dynamic_executable);
}

TEST(Verdict, AProgramForAnotherSystemIsNotStatic) {
  ElfImage image = build({});
  image.set(7, 1, 9);
  Verdict verdict = judge_bytes(image.bytes);
  EXPECT_EQ(verdict.kind, Kind::other_system);
  EXPECT_THAT(ids(verdict), ElementsAre("other-system/os-abi", "type/exec", "static/no-interpreter",
                                        "static/no-needed"));
  EXPECT_EQ(verdict.reasons[0].text, "is made for FreeBSD, not for Linux: EI_OSABI is 9");

  ElfSpec spec;
  spec.interpreter = "/usr/libexec/ld.so";
  verdict = judge_bytes(build(spec).bytes);
  EXPECT_EQ(verdict.kind, Kind::other_system);
  EXPECT_THAT(ids(verdict),
              ElementsAre("other-system/interpreter", "dynamic/interpreter", "type/exec"));

  spec = {};
  spec.notes = {{"Android", 1, std::string(4, '\0')}};
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::static_executable);
}

// Else a search of all segments would take hours.
TEST(Verdict, SegmentsMayNotClaimTheFileAgainAndAgain) {
  const auto with_segments = [](std::uint16_t count) {
    constexpr std::size_t kHeader = 64, kSegment = 56, kSize = 1 << 20;
    ElfImage image = build({});
    image.bytes.resize(kSize);
    image.set(56, 2, count);  // e_phnum
    image.set(40, 8, 0);      // e_shoff
    for (std::uint64_t i = 0; i < count; i++) {
      const std::uint64_t at = kHeader + i * kSegment;
      image.set(at, 4, elf::kSegmentLoad);
      image.set(at + 8, 8, 0);                         // p_offset
      image.set(at + 16, 8, 0x400000 + i * 0x200000);  // p_vaddr
      image.set(at + 32, 8, kSize);                    // p_filesz
      image.set(at + 40, 8, kSize);                    // p_memsz
    }
    return image.bytes;
  };
  EXPECT_EQ(judge_bytes(with_segments(16)).kind, Kind::static_executable);
  EXPECT_THAT(expect_error(ErrorKind::malformed, [&] { judge_bytes(with_segments(17)); }).message(),
              HasSubstr("many times over"));
  expect_error(ErrorKind::malformed, [&] { attribute(with_segments(17), "f"); });
}

// What is linked into a program is judged by the program.
TEST(Verdict, ALibraryForAnotherSystemStaysALibrary) {
  ElfSpec spec = position_independent();
  spec.soname = "libx.so.1";
  spec.notes = {{"FreeBSD", 1, std::string(4, '\0')}};
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::shared_object);
}

TEST(Verdict, ANeededLibraryAloneIsEnough) {
  ElfSpec spec;
  spec.needed = {"libc.so.6"};
  const Verdict verdict = judge_bytes(build(spec).bytes);
  EXPECT_EQ(verdict.kind, Kind::dynamic_executable);
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("no interpreter to load them")));
}

TEST(Verdict, StaticPie) {
  ElfSpec spec = position_independent();
  spec.pie_flag = true;
  const Verdict verdict = judge_bytes(build(spec).bytes);
  EXPECT_EQ(verdict.kind, Kind::static_pie);
  EXPECT_THAT(ids(verdict), ElementsAre("type/pie", "static/no-interpreter", "static/no-needed"));
}

TEST(Verdict, DynamicPie) {
  ElfSpec spec = position_independent();
  spec.pie_flag = true;
  spec.interpreter = "/lib/ld.so";
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::dynamic_executable);
  spec.interpreter = "";
  spec.needed = {"libc.so"};
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::dynamic_executable);
}

TEST(Verdict, StaticPieOfAnOldLinkerSaysItIsAGuess) {
  ElfSpec spec = position_independent();
  spec.debug_entry = true;
  const Verdict verdict = judge_bytes(build(spec).bytes);
  EXPECT_EQ(verdict.kind, Kind::static_pie);
  EXPECT_EQ(verdict.reasons[0].id, "type/dyn-debug");
  EXPECT_THAT(verdict.reasons[0].text, HasSubstr("is taken for"));
}

TEST(Verdict, PositionIndependentWithoutDynamicSectionIsAProgram) {
  const Verdict verdict = judge_bytes(build(position_independent()).bytes);
  EXPECT_EQ(verdict.kind, Kind::static_pie);
  EXPECT_EQ(verdict.reasons[0].id, "type/dyn-without-dynamic");
}

TEST(Verdict, SharedObjects) {
  ElfSpec named = position_independent();
  named.soname = "libthis.so";
  EXPECT_EQ(judge_bytes(build(named).bytes).kind, Kind::shared_object);
  EXPECT_THAT(ids(judge_bytes(build(named).bytes)), ElementsAre("shared/soname"));

  ElfSpec no_entry = position_independent();
  no_entry.dynamic = true;
  no_entry.entry = 0;
  EXPECT_THAT(ids(judge_bytes(build(no_entry).bytes)), ElementsAre("shared/no-entry"));

  ElfSpec unclear = position_independent();
  unclear.dynamic = true;
  const Verdict verdict = judge_bytes(build(unclear).bytes);
  EXPECT_EQ(verdict.kind, Kind::shared_object);
  EXPECT_THAT(ids(verdict), ElementsAre("shared/no-program-sign"));
  EXPECT_THAT(verdict.reasons[0].text, HasSubstr("is taken for"));
}

TEST(Verdict, ObjectsAndCores) {
  ElfSpec spec;
  spec.type = elf::kTypeRel;
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::relocatable);
  spec.type = elf::kTypeCore;
  EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::core);
}

TEST(Verdict, RejectsOtherTypes) {
  for (const int type : {0, 5, 0x200, 0xffff}) {
    ElfSpec spec;
    spec.type = static_cast<std::uint16_t>(type);
    const ElfImage image = build(spec);
    EXPECT_EQ(expect_error(ErrorKind::malformed, [&] { judge_bytes(image.bytes); }).offset(), 16u);
  }
}

TEST(Verdict, RejectsAProgramWithoutSegments) {
  ElfImage image = build({});
  image.set(56, 2, 0);  // e_phnum
  expect_error(ErrorKind::malformed, [&] { judge_bytes(image.bytes); });
  image = build({});
  image.set(image.segment_field(0, "type"), 4, elf::kSegmentNote);
  image.set(image.segment_field(1, "type"), 4, elf::kSegmentNote);
  expect_error(ErrorKind::malformed, [&] { judge_bytes(image.bytes); });
}

TEST(Verdict, WarnsOfOddFields) {
  ElfImage image = build({});
  image.set(52, 2, 0);  // e_ehsize
  image.set(image.segment_field(0, "flags"), 4, 7);
  image.set(24, 8, 0x1234);  // e_entry
  const Verdict verdict = judge_bytes(image.bytes);
  EXPECT_EQ(verdict.kind, Kind::static_executable);
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("e_ehsize")));
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("writable and executable")));
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("no executable segment")));
}

TEST(Verdict, NamesAreFitForATerminal) {
  ElfSpec spec;
  spec.interpreter = "/lib/\x1b[2Jld.so";
  spec.needed = {"lib\xff.so"};
  const Verdict verdict = judge_bytes(build(spec).bytes);
  EXPECT_EQ(verdict.interpreter, "/lib/\\x1b[2Jld.so");
  EXPECT_THAT(verdict.needed, ElementsAre("lib\\xff.so"));
}

TEST(Verdict, WorksForEveryMachineAndForm) {
  for (const bool is_64bit : {true, false}) {
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      ElfSpec spec;
      spec.is_64bit = is_64bit;
      spec.order = order;
      spec.machine = 4321;
      EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::static_executable);
      spec.interpreter = "/lib/ld.so";
      EXPECT_EQ(judge_bytes(build(spec).bytes).kind, Kind::dynamic_executable);
    }
  }
}

// Linux believes e_machine, not EI_CLASS: a file that reads as a static 32-bit program and runs as
// a dynamic 64-bit one must not get a verdict.
TEST(Verdict, RejectsAHeaderThatTheKernelReadsInAnotherClass) {
  ElfSpec wide;
  wide.interpreter = "/lib64/ld-linux-x86-64.so.2";
  ElfImage forged = build(wide);
  forged.set(4, 1, 1);  // EI_CLASS: 32-bit
  // In a 32-bit header these are e_phoff, e_phentsize and e_phnum; in the 64-bit one they are the
  // upper half of e_entry and part of e_shoff, which running does not need.
  const std::uint64_t table = forged.bytes.size();
  forged.bytes.resize(table + 32);
  forged.set(28, 4, table);
  forged.set(40, 2, 52);
  forged.set(42, 2, 32);
  forged.set(44, 2, 1);
  forged.set(table, 4, elf::kSegmentLoad);
  EXPECT_EQ(elf::File::parse(forged.bytes, "f").segments().size(), 1u);
  EXPECT_EQ(expect_error(ErrorKind::malformed, [&] { judge_bytes(forged.bytes); }).offset(), 4u);

  ElfSpec narrow;
  narrow.machine = elf::kMachine386;
  narrow.is_64bit = false;
  EXPECT_EQ(judge_bytes(build(narrow).bytes).kind, Kind::static_executable);
  narrow.is_64bit = true;
  expect_error(ErrorKind::malformed, [&] { judge_bytes(build(narrow).bytes); });

  ElfSpec x32;
  x32.is_64bit = false;
  EXPECT_EQ(judge_bytes(build(x32).bytes).kind, Kind::static_executable);
}

class DamagedIdentification : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Programs, DamagedIdentification,
                         testing::Values("c_dynamic", "go_pie", "musl_dynamic", "c_static"));

TEST_P(DamagedIdentification, IsAnErrorAndNeverAVerdict) {
  WHITTLE_NEEDS_PROGRAM(GetParam());
  const Bytes original = test::load_program(GetParam());
  for (const std::size_t at : {std::size_t{4}, std::size_t{5}}) {  // EI_CLASS, EI_DATA
    for (unsigned value = 0; value < 256; value++) {
      if (value == original[at]) continue;
      Bytes damaged = original;
      damaged[at] = static_cast<std::uint8_t>(value);
      expect_error(ErrorKind::malformed, [&] { judge_bytes(damaged); });
    }
  }
}

TEST(Verdict, RealPrograms) {
  const std::vector<std::pair<std::string, Kind>> expected = {
      {"c_static", Kind::static_executable},    {"c_static_pie", Kind::static_pie},
      {"c_dynamic", Kind::dynamic_executable},  {"c_shared", Kind::shared_object},
      {"c_named_shared", Kind::shared_object},  {"c_object", Kind::relocatable},
      {"musl_static", Kind::static_executable}, {"musl_dynamic", Kind::dynamic_executable},
      {"go_static", Kind::static_executable},   {"go_without_symbols", Kind::static_executable},
      {"go_mips", Kind::static_executable},     {"go_arm64", Kind::static_executable}};
  for (const auto& [program, kind] : expected) {
    WHITTLE_NEEDS_PROGRAM(program);
    const Bytes bytes = test::load_program(program);
    EXPECT_EQ(name(judge_bytes(bytes).kind), name(kind)) << program;
  }
}

// Go's -buildmode=pie asks for an interpreter and needs no library.
TEST(Verdict, GoPie) {
  WHITTLE_NEEDS_PROGRAM("go_pie");
  const Bytes bytes = test::load_program("go_pie");
  const Verdict verdict = judge_bytes(bytes);
  EXPECT_EQ(verdict.kind, Kind::dynamic_executable);
  EXPECT_THAT(verdict.needed, ElementsAre());
  EXPECT_THAT(ids(verdict), ElementsAre("dynamic/interpreter", "type/pie"));
}

}  // namespace
}  // namespace whittle::analyzer
