// SPDX-License-Identifier: MIT
#include "analyzer/analyzer.h"
#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

constexpr InspectOptions kWithoutLief{.symbols = false};

TEST(Inspect, AnyContentGivesAReport) {
  const BinaryReport empty = inspect({}, "f", kWithoutLief);
  EXPECT_EQ(empty.kind, Kind::not_elf);
  EXPECT_EQ(empty.reasons.at(0).id, "not-elf/empty");
  const BinaryReport text = inspect(as_bytes("hello"), "f");
  EXPECT_EQ(text.kind, Kind::not_elf);
  EXPECT_THAT(text.reasons.at(0).text, HasSubstr("68656c6c"));
  EXPECT_EQ(inspect(as_bytes("\x7f"
                             "EL"),
                    "f")
                .kind,
            Kind::not_elf);
  const BinaryReport script = inspect(as_bytes("#!/bin/sh -e\necho\n"), "f");
  EXPECT_EQ(script.kind, Kind::script);
  EXPECT_THAT(script.reasons.at(0).text, HasSubstr("#!/bin/sh -e"));
  EXPECT_THAT(script.reasons.at(0).text, Not(HasSubstr("echo")));
}

TEST(Inspect, LooksAtHeadersOnlyWhereAskedTo) {
  ElfSpec spec;
  spec.notes = {{"GNU", elf::kNoteGnuBuildId, "\xde\xad"}};
  spec.sections = {{".comment", "GCC: 1"}};
  spec.data = std::string("\0/bin/sh\0", 9);
  const ElfImage image = build(spec);
  EXPECT_THAT(inspect(image.bytes, "f", kWithoutLief).needs, Not(IsEmpty()));
  const BinaryReport plain = inspect(image.bytes, "f", {.symbols = false, .contents = false});
  EXPECT_EQ(plain.kind, Kind::static_executable);
  EXPECT_EQ(plain.build_id, "dead");
  EXPECT_FALSE(plain.has_contents);
  EXPECT_THAT(plain.needs, IsEmpty());
  EXPECT_EQ(plain.toolchain.compiler, "");
  EXPECT_EQ(plain.hardening.nx, HardeningState::not_applicable);
}

TEST(Inspect, SaysWhatTheHeadersSay) {
  ElfSpec spec;
  spec.notes = {{"GNU", elf::kNoteGnuBuildId, "\xde\xad"}, {"Go", elf::kNoteGoBuildId, "a/b"}};
  spec.sections = {{".comment", "GCC: 1"}};
  spec.overlay = "appended";
  const ElfImage image = build(spec);
  const BinaryReport report = inspect(image.bytes, "some/name", kWithoutLief);
  EXPECT_EQ(report.path, "some/name");
  EXPECT_EQ(report.size, image.bytes.size());
  EXPECT_EQ(report.kind, Kind::static_executable);
  EXPECT_EQ(report.machine, "x86-64");
  EXPECT_EQ(report.bits, 64);
  EXPECT_EQ(report.byte_order, "little");
  EXPECT_EQ(report.entry, test::kBase + image.code);
  EXPECT_EQ(report.build_id, "dead");
  EXPECT_EQ(report.go_build_id, "a/b");
  EXPECT_TRUE(report.stripped);
  EXPECT_EQ(report.overlay, 8u);
  ASSERT_EQ(report.segments.size(), 3u);
  EXPECT_EQ(report.segments[0].type, "NOTE");
  EXPECT_EQ(report.segments[1].type, "LOAD");
  EXPECT_EQ(report.segments[1].flags, "R-X");
  EXPECT_EQ(report.segments[2].flags, "RW-");
  ASSERT_EQ(report.sections.size(), 4u);
  EXPECT_EQ(report.sections[2].name, ".comment");
  EXPECT_EQ(report.sections[2].size, 6u);
}

TEST(Inspect, KnowsAnUnstrippedFile) {
  ElfSpec spec;
  spec.sections = {{".symtab", std::string(24, '\0')}};
  EXPECT_FALSE(inspect(build(spec).bytes, "f", kWithoutLief).stripped);
}

TEST(Inspect, ZeroesAtTheEndAreNoOverlay) {
  ElfSpec spec;
  spec.overlay = std::string(100, '\0');
  EXPECT_EQ(inspect(build(spec).bytes, "f", kWithoutLief).overlay, 0u);
}

TEST(Inspect, TakesEveryForm) {
  for (const bool is_64bit : {true, false}) {
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      ElfSpec spec;
      spec.is_64bit = is_64bit;
      spec.order = order;
      spec.machine = is_64bit ? elf::kMachinePpc64 : elf::kMachineMips;
      const BinaryReport report = inspect(build(spec).bytes, "f", kWithoutLief);
      EXPECT_EQ(report.kind, Kind::static_executable);
      EXPECT_EQ(report.bits, is_64bit ? 64 : 32);
      EXPECT_EQ(report.byte_order, order == ByteOrder::little ? "little" : "big");
    }
  }
}

TEST(Inspect, RejectsDamagedElf) {
  const ElfImage image = build({});
  expect_error(ErrorKind::malformed, [&] { inspect(ByteView(image.bytes).first(40), "f"); });
}

TEST(Inspect, LiefAddsTypesOfSectionsAndSymbols) {
  WHITTLE_NEEDS_PROGRAM("c_static");
  const Bytes bytes = test::load_program("c_static");
  const BinaryReport report = inspect(bytes, "c_static");
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_GT(report.symbols, 1000u);
  EXPECT_FALSE(report.stripped);
  EXPECT_THAT(report.sections, Contains(testing::AllOf(Field(&SectionInfo::name, ".bss"),
                                                       Field(&SectionInfo::type, "NOBITS"))));
  const BinaryReport without = inspect(bytes, "c_static", kWithoutLief);
  EXPECT_EQ(without.symbols, 0u);
  EXPECT_EQ(without.sections.size(), report.sections.size());
}

TEST(Inspect, AgreesWithLiefOnRealPrograms) {
  for (const std::string program :
       {"c_static", "c_static_pie", "c_dynamic", "c_shared", "c_named_shared", "c_object",
        "musl_static", "musl_dynamic", "go_static", "go_without_symbols", "go_pie", "go_mips",
        "go_arm64"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    EXPECT_THAT(inspect(test::load_program(program), program).warnings, IsEmpty()) << program;
  }
}

// LIEF takes the first DT_NULL for the end of the dynamic section and so do we; but it reads the
// number of sections as it stands, where we do not believe a table outside the file.
TEST(Inspect, TellsWhereLiefDisagrees) {
  ElfSpec spec;
  spec.sections = {{".comment", "GCC"}};
  ElfImage image = build(spec);
  image.set(58, 2, 1);  // e_shentsize: we refuse the table
  const BinaryReport report = inspect(image.bytes, "f");
  EXPECT_EQ(report.kind, Kind::static_executable);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("section headers are unreadable")));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("LIEF reads another number of sections")));
}

TEST(Inspect, EveryTruncationOfARealProgramIsAReportOrAnError) {
  WHITTLE_NEEDS_PROGRAM("musl_static");
  const Bytes bytes = test::load_program("musl_static");
  for (std::size_t size = 0; size < bytes.size(); size += size < 2048 ? 1 : 97) {
    try {
      const BinaryReport report = inspect(ByteView(bytes).first(size), "f", kWithoutLief);
      EXPECT_EQ(report.kind == Kind::not_elf, size < 4) << size;
    } catch (const Error& error) {
      EXPECT_EQ(name(error.kind()), "malformed") << error.what();
    }
  }
}

TEST(Inspect, SurvivesMutationsOfASmallFile) {
  ElfSpec spec;
  spec.type = elf::kTypeDyn;
  spec.interpreter = "/lib/ld.so";
  spec.needed = {"liba.so", "libb.so"};
  spec.pie_flag = true;
  spec.notes = {{"GNU", elf::kNoteGnuBuildId, "0123456789"}};
  spec.sections = {{".comment", "GCC: 1"}, {".symtab", "x"}};
  const ElfImage image = build(spec);
  const int values = test::expect_survives(image.bytes, 1000, [](ByteView damaged) {
    EXPECT_FALSE(inspect(damaged, "f", kWithoutLief).reasons.empty());
  });
  EXPECT_GT(values, 0);
  EXPECT_LT(values, 1000);
}

TEST(Inspect, SurvivesMutationsOfRealPrograms) {
  for (const std::string program : {"musl_static", "c_dynamic", "go_static", "go_mips"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    test::expect_survives(test::load_program(program), 200, [](ByteView damaged) {
      EXPECT_FALSE(inspect(damaged, "f", kWithoutLief).reasons.empty());
    });
  }
}

TEST(KindName, IsStable) {
  EXPECT_EQ(name(Kind::static_executable), "static");
  EXPECT_EQ(name(Kind::static_pie), "static-pie");
  EXPECT_EQ(name(Kind::dynamic_executable), "dynamic");
  EXPECT_EQ(name(Kind::shared_object), "shared-object");
  EXPECT_EQ(name(Kind::relocatable), "relocatable");
  EXPECT_EQ(name(Kind::core), "core");
  EXPECT_EQ(name(Kind::script), "script");
  EXPECT_EQ(name(Kind::not_elf), "not-elf");
  EXPECT_TRUE(is_static(Kind::static_pie));
  EXPECT_FALSE(is_static(Kind::shared_object));
}

}  // namespace
}  // namespace whittle::analyzer
