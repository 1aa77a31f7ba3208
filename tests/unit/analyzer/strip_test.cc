// SPDX-License-Identifier: MIT
#include "analyzer/analyzer.h"
#include "common/elf.h"
#include "tests/unit/analyzer/testing.h"
#include "tests/unit/common/scratch.h"

namespace whittle::analyzer {
namespace {

ElfSpec with_sections() {
  ElfSpec spec;
  spec.sections = {{".comment", "GCC"}, {".symtab", std::string(240, 's')}};
  return spec;
}

TEST(Strip, CutsBehindTheSegments) {
  const ElfImage image = build(with_sections());
  const StripResult result = strip(image.bytes, "f");
  EXPECT_EQ(result.bytes.size(), image.segments_end);
  EXPECT_EQ(result.removed, image.bytes.size() - image.segments_end);
  const elf::File file = elf::File::parse(result.bytes, "f");
  EXPECT_EQ(file.header().shoff, 0u);
  EXPECT_EQ(file.header().shnum, 0);
  EXPECT_EQ(file.header().shstrndx, 0);
  EXPECT_EQ(file.header().shentsize, 64);
  // Apart from the header's three fields nothing changes.
  EXPECT_TRUE(std::equal(result.bytes.begin() + 64, result.bytes.end(), image.bytes.begin() + 64));
}

TEST(Strip, WorksInEveryForm) {
  for (const bool is_64bit : {true, false}) {
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      for (const bool inside : {true, false}) {
        ElfSpec spec = with_sections();
        spec.is_64bit = is_64bit;
        spec.order = order;
        spec.machine = 4321;
        spec.section_table_inside = inside;
        const ElfImage image = build(spec);
        const StripResult result = strip(image.bytes, "f");
        EXPECT_EQ(result.bytes.size(), image.segments_end);
        EXPECT_TRUE(elf::File::parse(result.bytes, "f").sections().empty());
      }
    }
  }
}

TEST(Strip, KeepsTheListOfCratesThatNoSegmentHas) {
  for (const bool is_64bit : {true, false}) {
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      ElfSpec spec = with_sections();
      spec.is_64bit = is_64bit;
      spec.order = order;
      spec.sections.insert(spec.sections.begin() + 1, {".dep-v0", "crates"});
      spec.sections.push_back({".debug_info", std::string(2000, 'd')});
      const ElfImage image = build(spec);
      const StripResult result = strip(image.bytes, "f");
      EXPECT_LT(result.bytes.size(), image.segments_end + 300);
      const elf::File file = elf::File::parse(result.bytes, "f");
      ASSERT_EQ(file.sections().size(), 3u);
      const elf::Section* section = file.find_section(".dep-v0");
      ASSERT_NE(section, nullptr);
      EXPECT_EQ(as_text(file.bytes().subspan(section->offset, section->size)), "crates");
      EXPECT_THAT(result.notes, Contains(HasSubstr(".dep-v0")));
    }
  }
}

TEST(Strip, LeavesTheListOfCratesInItsSegment) {
  ElfSpec spec = with_sections();
  spec.sections.push_back({".dep-v0", "crates"});
  spec.sections.push_back({".debug_info", std::string(2000, 'd')});
  ElfImage image = build(spec);
  // What compilers do: the section is part of the data segment.
  const elf::Header header = elf::File::parse(image.bytes, "f").header();
  const std::uint64_t entry = header.shoff + 4u * 64;
  image.set(entry + 16, 8, test::kDataBase + image.data);
  image.set(entry + 24, 8, image.data);
  const StripResult result = strip(image.bytes, "f");
  const elf::File file = elf::File::parse(result.bytes, "f");
  const elf::Section* section = file.find_section(".dep-v0");
  ASSERT_NE(section, nullptr);
  EXPECT_EQ(section->offset, image.data);
  EXPECT_EQ(section->addr, test::kDataBase + image.data);
}

TEST(Strip, ListOfCratesInTheElfHeaderIsNoList) {
  ElfSpec spec = with_sections();
  spec.sections.push_back({".dep-v0", "crates"});
  ElfImage image = build(spec);
  const elf::File file = elf::File::parse(image.bytes, "f");
  const elf::Section crates = *file.find_section(".dep-v0");
  std::fill_n(image.bytes.begin() + static_cast<std::ptrdiff_t>(crates.offset), crates.size, 0);
  image.set(file.header().shoff + 4u * 64 + 24, 8, 0);
  EXPECT_TRUE(elf::File::parse(strip(image.bytes, "f").bytes, "f").sections().empty());
}

TEST(Strip, ZeroesATableInsideASegmentWithoutMovingAnything) {
  ElfSpec spec = with_sections();
  spec.section_table_inside = true;
  const ElfImage image = build(spec);
  const elf::File before = elf::File::parse(image.bytes, "f");
  const std::uint64_t table = before.header().shoff;
  const std::uint64_t table_end = table + std::uint64_t{before.header().shnum} * 64;
  const StripResult result = strip(image.bytes, "f");
  for (std::uint64_t i = 64; i < result.bytes.size(); i++) {
    EXPECT_EQ(result.bytes[i], i >= table && i < table_end ? 0 : image.bytes[i]) << i;
  }
  EXPECT_THAT(result.notes, Contains(HasSubstr("zeroed the section header table")));
}

// The header says that the table is where the code is: then it is code, whatever the header says.
TEST(Strip, NeverZeroesWhatASectionOrTheEntryPointUses) {
  ElfSpec spec = with_sections();
  const ElfImage original = build(spec);
  const elf::File file = elf::File::parse(original.bytes, "f");
  const std::uint64_t table = file.header().shoff;
  const std::uint64_t size = std::uint64_t{file.header().shnum} * 64;
  spec.code = std::string(as_text(ByteView(original.bytes).subspan(table, size)));
  ElfImage forged = build(spec);
  forged.set(40, 8, forged.code);  // e_shoff: a readable table, inside the code
  const StripResult result = strip(forged.bytes, "f");
  EXPECT_TRUE(std::equal(forged.bytes.begin() + 64,
                         forged.bytes.begin() + static_cast<std::ptrdiff_t>(forged.segments_end),
                         result.bytes.begin() + 64));
}

TEST(Strip, LeavesAFileWithAnOverlayAsItIs) {
  ElfSpec spec = with_sections();
  spec.overlay = "PK\x03\x04 appended archive";
  const ElfImage image = build(spec);
  const StripResult result = strip(image.bytes, "f");
  EXPECT_EQ(result.bytes, image.bytes);
  EXPECT_EQ(result.removed, 0u);
  EXPECT_THAT(result.notes, Contains(HasSubstr("21 bytes are appended")));
}

TEST(Strip, LeavesAFileWithASectionOfTheAuthorsAsItIs) {
  for (const char* name : {".myres", ".note.mydata", ".relres", ".debug_payload", ".comment2"}) {
    ElfSpec spec = with_sections();
    spec.sections.push_back({name, "resources"});
    const ElfImage image = build(spec);
    const StripResult result = strip(image.bytes, "f");
    EXPECT_EQ(result.bytes, image.bytes) << name;
    EXPECT_EQ(result.removed, 0u);
    EXPECT_THAT(result.notes, Contains(HasSubstr(name)));
  }
}

TEST(Strip, LeavesAFileWithDataBetweenItsSectionsAsItIs) {
  ElfImage image = build(with_sections());
  const elf::File file = elf::File::parse(image.bytes, "f");
  const elf::Section comment = *file.find_section(".comment");
  for (std::size_t i = 0; i < file.sections().size(); i++) {
    if (file.sections()[i].name != ".comment") continue;
    image.set(file.header().shoff + i * 64 + 24, 8, comment.offset + 2);
    image.set(file.header().shoff + i * 64 + 32, 8, comment.size - 2);
  }
  const StripResult result = strip(image.bytes, "f");
  EXPECT_EQ(result.bytes, image.bytes);
  EXPECT_THAT(result.notes, Contains(HasSubstr("lie between what the headers describe")));
}

TEST(Strip, KeepsAnOverlayOfAFileWithoutSections) {
  ElfSpec spec;
  spec.overlay = "data";
  const ElfImage image = build(spec);
  EXPECT_EQ(strip(image.bytes, "f").bytes, image.bytes);
}

TEST(Strip, KeepsEverythingWhereSectionsAreUnreadable) {
  ElfImage image = build(with_sections());
  image.set(58, 2, 1);  // e_shentsize
  const StripResult result = strip(image.bytes, "f");
  EXPECT_EQ(result.removed, 0u);
  EXPECT_EQ(result.bytes, image.bytes);
  EXPECT_THAT(result.notes, Contains(HasSubstr("unreadable")));
}

TEST(Strip, GivesBackAStrippedFileAsItIs) {
  const ElfImage image = build({});
  const StripResult result = strip(image.bytes, "f");
  EXPECT_EQ(result.bytes, image.bytes);
  EXPECT_EQ(result.removed, 0u);
  EXPECT_FALSE(result.notes.empty());
}

TEST(Strip, RefusesWhatIsNoStaticExecutable) {
  ElfSpec spec = with_sections();
  for (const std::uint16_t type : {elf::kTypeRel, elf::kTypeCore}) {
    spec.type = type;
    expect_error(ErrorKind::refused, [&] { strip(build(spec).bytes, "f"); });
  }
  spec.type = elf::kTypeDyn;
  spec.soname = "lib.so";
  expect_error(ErrorKind::refused, [&] { strip(build(spec).bytes, "f"); });
  spec.soname = "";
  spec.interpreter = "/lib/ld.so";
  EXPECT_THAT(expect_error(ErrorKind::refused, [&] { strip(build(spec).bytes, "f"); }).message(),
              HasSubstr("/lib/ld.so"));
  expect_error(ErrorKind::malformed, [] { strip(as_bytes("text"), "f"); });
  expect_error(ErrorKind::malformed, [] { strip({}, "f"); });
}

class StripProgram : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Programs, StripProgram,
                         testing::Values("c_static", "c_static_pie", "musl_static", "go_static",
                                         "go_without_symbols"));

TEST_P(StripProgram, RunsAsBefore) {
  WHITTLE_NEEDS_PROGRAM(GetParam());
  const Bytes original = test::load_program(GetParam());
  const StripResult result = strip(original, GetParam());
  EXPECT_GT(result.removed, 0u);
  EXPECT_EQ(result.bytes.size() + result.removed, original.size());
  test::Scratch scratch;
  const auto path = scratch.path() / "stripped";
  write_file_atomic(path, result.bytes, 0755);
  for (const std::string arguments : {"", " one", " one two"}) {
    const auto before = test::run(test::program_path(GetParam()).native() + arguments);
    const auto after = test::run(path.native() + arguments);
    EXPECT_EQ(after.output, before.output);
    EXPECT_EQ(after.exit_code, before.exit_code);
    EXPECT_THAT(after.output, HasSubstr("hello from"));
  }
}

TEST_P(StripProgram, IsSmallerThanWhatStripMakes) {
  WHITTLE_NEEDS_PROGRAM(GetParam());
  test::Scratch scratch;
  const auto path = scratch.path() / "stripped";
  const auto made = test::run("strip --strip-all -o '" + path.native() + "' '" +
                              test::program_path(GetParam()).native() + "'");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_LT(strip(test::load_program(GetParam()), "f").bytes.size(), read_file(path).bytes.size());
}

TEST_P(StripProgram, KeepsItsIdentity) {
  WHITTLE_NEEDS_PROGRAM(GetParam());
  const Bytes original = test::load_program(GetParam());
  const BinaryReport before = inspect(original, "f");
  const BinaryReport after = inspect(strip(original, "f").bytes, "f");
  EXPECT_EQ(after.kind, before.kind);
  EXPECT_EQ(after.build_id, before.build_id);
  EXPECT_EQ(after.go_build_id, before.go_build_id);
  EXPECT_EQ(after.toolchain.language, before.toolchain.language);
  EXPECT_EQ(after.toolchain.libc, before.toolchain.libc);
  EXPECT_EQ(after.toolchain.modules.size(), before.toolchain.modules.size());
  EXPECT_EQ(after.segments.size(), before.segments.size());
  EXPECT_TRUE(after.stripped);
  EXPECT_THAT(after.warnings, testing::IsEmpty());
}

TEST(Strip, GoStillReadsItsBuildInformation) {
  for (const std::string program : {"go_static", "go_without_symbols", "go_mips", "go_arm64"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    test::Scratch scratch;
    const auto path = scratch.path() / program;
    write_file_atomic(path, strip(test::load_program(program), program).bytes, 0755);
    const std::string go = "'" WHITTLE_TEST_GO "' version -m ";
    const std::string original = test::program_path(program).native();
    std::string expected = test::run(go + original).output;
    ASSERT_THAT(expected, HasSubstr("example.com/greeting"));
    expected.replace(0, original.size(), path.native());
    EXPECT_EQ(test::run(go + path.native()).output, expected) << program;
  }
}

void strip_and_check(ByteView damaged) {
  const StripResult result = strip(damaged, "f");
  EXPECT_LE(result.bytes.size(), damaged.size());
  EXPECT_EQ(result.bytes.size() + result.removed, damaged.size());
  EXPECT_TRUE(is_static(inspect(result.bytes, "f", {.symbols = false}).kind));
}

TEST(Strip, SurvivesMutationsOfSmallFiles) {
  for (const bool inside : {true, false}) {
    ElfSpec spec = with_sections();
    spec.section_table_inside = inside;
    spec.notes = {{"GNU", elf::kNoteGnuBuildId, "0123456789"}};
    const int values = test::expect_survives(build(spec).bytes, 1000, strip_and_check);
    EXPECT_GT(values, 0);
    EXPECT_LT(values, 1000);
  }
}

TEST(Strip, SurvivesMutationsOfRealPrograms) {
  for (const std::string program : {"musl_static", "c_static_pie", "go_static"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    test::expect_survives(test::load_program(program), 200, strip_and_check);
  }
}

}  // namespace
}  // namespace whittle::analyzer
