// SPDX-License-Identifier: MIT
#include "common/elf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"

namespace whittle {
namespace {

using elf::File;
using test::build;
using test::ElfImage;
using test::ElfSpec;
using test::expect_error;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Form {
  bool is_64bit;
  ByteOrder order;
};

void PrintTo(const Form& form, std::ostream* out) {
  *out << (form.is_64bit ? "64" : "32") << (form.order == ByteOrder::little ? "le" : "be");
}

// Every property holds for both classes and both byte orders.
class ElfFormTest : public testing::TestWithParam<Form> {
 protected:
  ElfSpec spec() const {
    ElfSpec spec;
    spec.is_64bit = GetParam().is_64bit;
    spec.order = GetParam().order;
    spec.machine = spec.is_64bit ? elf::kMachinePpc64 : elf::kMachineMips;
    return spec;
  }
  ElfSpec rich_spec() const {
    ElfSpec rich = spec();
    rich.type = elf::kTypeDyn;
    rich.interpreter = "/lib/ld.so.1";
    rich.needed = {"libone.so", "libtwo.so"};
    rich.soname = "libthis.so";
    rich.pie_flag = true;
    rich.notes = {{"GNU", elf::kNoteGnuBuildId, "\x01\x02\x03"}, {"Go", 4, "id"}};
    rich.sections = {{".comment", "GCC"}, {".symtab", "symbols"}};
    return rich;
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, ElfFormTest,
                         testing::Values(Form{true, ByteOrder::little}, Form{true, ByteOrder::big},
                                         Form{false, ByteOrder::little},
                                         Form{false, ByteOrder::big}),
                         testing::PrintToStringParamName());

TEST_P(ElfFormTest, ReadsTheHeader) {
  const ElfImage image = build(spec());
  const File file = File::parse(image.bytes, "f");
  EXPECT_EQ(file.header().is_64bit, GetParam().is_64bit);
  EXPECT_EQ(file.header().order, GetParam().order);
  EXPECT_EQ(file.header().type, elf::kTypeExec);
  EXPECT_EQ(file.header().machine, spec().machine);
  EXPECT_EQ(file.header().entry, test::kBase + image.code);
  EXPECT_EQ(file.header().ehsize, GetParam().is_64bit ? 64 : 52);
  EXPECT_EQ(file.header().phnum, 2);
}

TEST_P(ElfFormTest, ReadsSegmentsSectionsDynamicSectionAndNotes) {
  const ElfImage image = build(rich_spec());
  const File file = File::parse(image.bytes, "f");
  EXPECT_EQ(file.interpreter(), "/lib/ld.so.1");
  EXPECT_THAT(file.dynamic_strings(elf::kDynamicNeeded), ElementsAre("libone.so", "libtwo.so"));
  EXPECT_THAT(file.dynamic_strings(elf::kDynamicSoname), ElementsAre("libthis.so"));
  EXPECT_THAT(file.dynamic_strings(elf::kDynamicRunpath), IsEmpty());

  const auto notes = file.notes();
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0].owner, "GNU");
  EXPECT_EQ(as_text(notes[0].descriptor), "\x01\x02\x03");
  EXPECT_EQ(image.bytes.at(notes[0].offset), 1);
  EXPECT_EQ(notes[1].owner, "Go");

  const elf::Section* comment = file.find_section(".comment");
  ASSERT_NE(comment, nullptr);
  EXPECT_EQ(as_text(ByteView(image.bytes).subspan(comment->offset, comment->size)), "GCC");
  EXPECT_EQ(file.find_section(".nothing"), nullptr);
  EXPECT_EQ(file.sections().size(), 5u);

  const elf::Segment* load = file.find_segment(elf::kSegmentLoad);
  ASSERT_NE(load, nullptr);
  EXPECT_EQ(load->vaddr, test::kBase);
  EXPECT_EQ(load->flags, elf::kFlagRead | elf::kFlagExecute);
  EXPECT_EQ(file.find_segment(elf::kSegmentTls), nullptr);
}

TEST_P(ElfFormTest, MapsAddressesThatTheFileHoldsBytesOf) {
  ElfImage image = build(spec());
  image.set(image.segment_field(1, "memsz"), image.word(), 4096);  // 64 bytes and zeroes
  const File file = File::parse(image.bytes, "f");
  EXPECT_EQ(file.offset_of(test::kBase), 0u);
  EXPECT_EQ(file.offset_of(test::kBase + image.code, 64), image.code);
  EXPECT_EQ(file.offset_of(test::kBase + image.code, 65), std::nullopt);
  EXPECT_EQ(file.offset_of(test::kDataBase + image.data, 64), image.data);
  EXPECT_EQ(file.offset_of(test::kDataBase + image.data + 64), std::nullopt);
  EXPECT_EQ(file.offset_of(0), std::nullopt);
  EXPECT_EQ(file.offset_of(UINT64_MAX, UINT64_MAX), std::nullopt);
}

// Wherever the file ends, the reader says so: never a value, never a crash.
TEST_P(ElfFormTest, RejectsTruncationAtEveryByte) {
  const ElfImage image = build(rich_spec());
  for (std::uint64_t size = 0; size < image.segments_end; size++) {
    const Error error = expect_error(
        ErrorKind::malformed, [&] { File::parse(ByteView(image.bytes).first(size), "cut"); });
    ASSERT_EQ(error.path(), "cut") << size;
  }
}

TEST_P(ElfFormTest, TakesTruncationOfWhatOnlyToolsRead) {
  const ElfImage image = build(rich_spec());
  for (std::uint64_t size = image.segments_end; size < image.bytes.size(); size++) {
    const File file = File::parse(ByteView(image.bytes).first(size), "cut");
    ASSERT_THAT(file.sections(), IsEmpty()) << size;
    ASSERT_NE(file.section_problem(), "") << size;
    ASSERT_EQ(file.interpreter(), "/lib/ld.so.1");
  }
}

TEST_P(ElfFormTest, RejectsAbsurdProgramHeaders) {
  const ElfImage good = build(spec());
  const unsigned word = good.word();
  const std::uint64_t top = GetParam().is_64bit ? UINT64_MAX : UINT32_MAX;
  const auto rejected = [&](std::string_view field, std::uint64_t value) {
    ElfImage bad = good;
    bad.set(bad.segment_field(1, field), word, value);
    return expect_error(ErrorKind::malformed, [&] { File::parse(bad.bytes, "f"); });
  };
  EXPECT_THAT(rejected("offset", top).message(), HasSubstr("outside the file"));
  EXPECT_THAT(rejected("offset", good.bytes.size() + 1).message(), HasSubstr("outside the file"));
  EXPECT_THAT(rejected("filesz", top).message(), HasSubstr("outside the file"));
  EXPECT_THAT(rejected("filesz", good.bytes.size()).message(), HasSubstr("outside the file"));
  EXPECT_THAT(rejected("memsz", 1).message(), HasSubstr("larger than p_memsz"));
  EXPECT_THAT(rejected("memsz", top).message(), HasSubstr("wrap around"));
  EXPECT_THAT(rejected("vaddr", top).message(), HasSubstr("wrap around"));
  EXPECT_EQ(rejected("vaddr", top).offset(), GetParam().is_64bit ? 64u + 56u : 52u + 32u);
}

// The kernel maps one over the other; each caller decides what that means for it.
TEST_P(ElfFormTest, ReadsSegmentsThatOverlap) {
  ElfImage image = build(spec());
  image.set(image.segment_field(1, "vaddr"), image.word(), test::kBase + 16);
  EXPECT_EQ(File::parse(image.bytes, "f").segments().size(), 2u);
}

TEST_P(ElfFormTest, RejectsAbsurdTables) {
  const ElfImage good = build(spec());
  const bool wide = GetParam().is_64bit;
  const auto rejected = [&](std::uint64_t at, unsigned width, std::uint64_t value) {
    ElfImage bad = good;
    bad.set(at, width, value);
    return expect_error(ErrorKind::malformed, [&] { File::parse(bad.bytes, "f"); }).message();
  };
  const std::uint64_t phoff = wide ? 32 : 28, phentsize = wide ? 54 : 42, phnum = phentsize + 2;
  EXPECT_THAT(rejected(phoff, good.word(), UINT64_MAX), HasSubstr("program header table"));
  EXPECT_THAT(rejected(phoff, good.word(), good.bytes.size()), HasSubstr("program header table"));
  EXPECT_THAT(rejected(phentsize, 2, 0), HasSubstr("e_phentsize"));
  EXPECT_THAT(rejected(phentsize, 2, wide ? 32 : 56), HasSubstr("e_phentsize"));
  EXPECT_THAT(rejected(phnum, 2, 0xffff), HasSubstr("program headers"));
  EXPECT_THAT(rejected(phnum, 2, 0xfffe), HasSubstr("program header table"));
}

TEST_P(ElfFormTest, TakesAFileWithoutSegments) {
  ElfImage image = build(spec());
  image.set(GetParam().is_64bit ? 56 : 44, 2, 0);
  EXPECT_THAT(File::parse(image.bytes, "f").segments(), IsEmpty());
}

TEST_P(ElfFormTest, TellsTroubleWithSectionsWithoutFailing) {
  const ElfImage good = build(rich_spec());
  const bool wide = GetParam().is_64bit;
  const std::uint64_t shoff = wide ? 40 : 32, shentsize = wide ? 58 : 46, shnum = shentsize + 2,
                      shstrndx = shnum + 2;
  const auto problem = [&](std::uint64_t at, unsigned width, std::uint64_t value) {
    ElfImage bad = good;
    bad.set(at, width, value);
    const File file = File::parse(bad.bytes, "f");
    EXPECT_THAT(file.sections(), IsEmpty());
    return file.section_problem();
  };
  EXPECT_THAT(problem(shoff, good.word(), UINT64_MAX), HasSubstr("section header"));
  EXPECT_THAT(problem(shoff, good.word(), good.bytes.size()), HasSubstr("section header"));
  EXPECT_THAT(problem(shnum, 2, 0xffff), HasSubstr("do not fit"));
  EXPECT_THAT(problem(shentsize, 2, 1), HasSubstr("e_shentsize"));
  // A name table that is none leaves the sections without names.
  ElfImage nameless = good;
  nameless.set(shstrndx, 2, 0xfff0);
  const File file = File::parse(nameless.bytes, "f");
  EXPECT_EQ(file.sections().size(), 5u);
  EXPECT_EQ(file.find_section(".comment"), nullptr);
}

// An index that needs more than 16 bits stands in the first section header.
TEST_P(ElfFormTest, FindsTheNamesOfManySections) {
  ElfImage image = build(rich_spec());
  const bool wide = GetParam().is_64bit;
  const std::uint64_t table = File::parse(image.bytes, "f").header().shoff;
  image.set(wide ? 62 : 50, 2, 0xffff);       // e_shstrndx: SHN_XINDEX
  image.set(table + (wide ? 40 : 24), 4, 4);  // sh_link: the last of five
  EXPECT_NE(File::parse(image.bytes, "f").find_section(".comment"), nullptr);
}

// Nothing checks the range of a section without bytes, so nothing may read it.
TEST(Elf, AFileMadeOfSectionHeadersIsNotBelieved) {
  constexpr std::uint64_t kCount = (1 << 18) + 1, kHeaderSize = 64;
  ElfImage image = build({});
  const std::uint64_t table = image.bytes.size();
  image.bytes.resize(table + kCount * kHeaderSize);
  image.set(40, 8, table);        // e_shoff
  image.set(58, 2, kHeaderSize);  // e_shentsize
  image.set(60, 2, 0);            // e_shnum: the first entry's sh_size has it
  image.set(table + 32, 8, kCount);
  const File file = File::parse(image.bytes, "f");
  EXPECT_THAT(file.sections(), IsEmpty());
  EXPECT_THAT(file.section_problem(), HasSubstr("262145 section headers are more than"));
  image.set(table + 32, 8, kCount - 1);
  EXPECT_EQ(File::parse(image.bytes, "f").sections().size(), kCount - 1);
}

TEST_P(ElfFormTest, TakesNoNamesFromASectionWithoutBytes) {
  const bool wide = GetParam().is_64bit;
  for (const std::uint32_t type : {elf::kSectionNull, elf::kSectionNoBits}) {
    ElfImage image = build(rich_spec());
    const std::uint64_t table = File::parse(image.bytes, "f").header().shoff;
    const std::uint64_t names = table + 4 * (wide ? 64u : 40u);  // the last of five
    image.set(names + 4, 4, type);
    image.set(names + (wide ? 24 : 16), image.word(), UINT64_MAX - 7);  // sh_offset
    const File file = File::parse(image.bytes, "f");
    EXPECT_EQ(file.sections().size(), 5u);
    EXPECT_EQ(file.find_section(".comment"), nullptr);
  }
}

TEST_P(ElfFormTest, CutsNamesThatSectionsShare) {
  ElfSpec long_name = spec();
  long_name.sections = {{std::string(100'000, 'n'), "content"}};
  const ElfImage image = build(long_name);
  const File file = File::parse(image.bytes, "f");
  ASSERT_EQ(file.sections().size(), 4u);
  EXPECT_EQ(file.sections()[2].name, std::string(1024, 'n'));
}

TEST_P(ElfFormTest, TakesInterpretersAsTheKernelDoes) {
  const auto interpreter = [&](std::string name) {
    ElfSpec with = spec();
    with.interpreter = std::move(name);
    const ElfImage image = build(with);
    return File::parse(image.bytes, "f").interpreter();
  };
  EXPECT_EQ(interpreter("/"), "/");
  EXPECT_EQ(interpreter(std::string(4095, 'x')), std::string(4095, 'x'));
  expect_error(ErrorKind::malformed, [&] { interpreter(std::string(4096, 'x')); });

  ElfSpec with = spec();
  with.interpreter = "/lib/ld.so";
  ElfImage image = build(with);
  image.set(image.segment_field(0, "filesz"), image.word(), 10);  // without the NUL
  expect_error(ErrorKind::malformed, [&] { File::parse(image.bytes, "f").interpreter(); });
  image.set(image.segment_field(0, "filesz"), image.word(), 0);
  expect_error(ErrorKind::malformed, [&] { File::parse(image.bytes, "f").interpreter(); });
}

TEST_P(ElfFormTest, RejectsADamagedDynamicSection) {
  const ElfImage good = build(rich_spec());
  const auto rejected = [&](auto damage) {
    ElfImage bad = good;
    damage(bad);
    return expect_error(ErrorKind::malformed,
                        [&] { File::parse(bad.bytes, "f").dynamic_strings(elf::kDynamicNeeded); })
        .message();
  };
  const unsigned word = good.word();
  // Segment 2 of this file is PT_DYNAMIC: interpreter, notes, dynamic section.
  const std::uint64_t size = File::parse(good.bytes, "f").segments()[2].filesz;
  EXPECT_THAT(rejected([&](ElfImage& bad) {
                bad.set(bad.segment_field(2, "filesz"), word, size - 2 * word);
              }),
              HasSubstr("DT_NULL"));
  EXPECT_THAT(rejected([&](ElfImage& bad) { bad.set(bad.dynamic + word, word, UINT64_MAX); }),
              HasSubstr("outside its string table"));
  EXPECT_THAT(rejected([&](ElfImage& bad) {
                bad.set(bad.dynamic + 6 * word, word, 0x6ffffff0);  // no DT_STRTAB any more
              }),
              HasSubstr("outside its string table"));
  EXPECT_THAT(rejected([&](ElfImage& bad) {
                bad.set(bad.dynamic + 7 * word, word, 0x12345);  // DT_STRTAB points nowhere
              }),
              HasSubstr("outside its string table"));
}

TEST_P(ElfFormTest, BoundsStringsThatEntriesShare) {
  ElfSpec many = spec();
  many.needed.assign(600, std::string(3000, 'n'));
  const ElfImage image = build(many);
  EXPECT_THAT(
      expect_error(ErrorKind::malformed,
                   [&] { File::parse(image.bytes, "f").dynamic_strings(elf::kDynamicNeeded); })
          .message(),
      HasSubstr("1 MiB"));
}

TEST_P(ElfFormTest, ADamagedNoteEndsItsSegmentsList) {
  ElfImage image = build(rich_spec());
  const auto notes = File::parse(image.bytes, "f").notes();
  ASSERT_EQ(notes.size(), 2u);
  image.set(notes[1].offset - 4 - 12, 4, 0xffffffff);  // n_namesz of the second
  EXPECT_EQ(File::parse(image.bytes, "f").notes().size(), 1u);
}

TEST_P(ElfFormTest, SurvivesMutations) {
  const ElfImage image = build(rich_spec());
  const int values = test::expect_survives(image.bytes, 1000, [](ByteView damaged) {
    const File file = File::parse(damaged, "f");
    (void)file.notes();
    (void)file.interpreter();
    (void)file.dynamic_strings(elf::kDynamicNeeded);
  });
  EXPECT_GT(values, 0);
  EXPECT_LT(values, 1000);
}

TEST(ElfFile, RejectsWhatIsNotElf) {
  expect_error(ErrorKind::malformed, [] { File::parse({}, "f"); });
  expect_error(ErrorKind::malformed, [] { File::parse(as_bytes("\x7f"), "f"); });
  expect_error(ErrorKind::malformed, [] { File::parse(as_bytes("#!/bin/sh\n"), "f"); });
  EXPECT_FALSE(
      elf::has_magic(as_bytes("\x7f"
                              "EL")));
  EXPECT_TRUE(
      elf::has_magic(as_bytes("\x7f"
                              "ELF")));
}

TEST(ElfFile, RejectsEveryOtherClassByteOrderAndVersion) {
  const ElfImage good = build({});
  for (const std::uint64_t at : {4, 5, 6}) {
    for (unsigned value = 0; value < 256; value++) {
      if (value == 1 || (value == 2 && at != 6)) continue;
      ElfImage bad = good;
      bad.set(at, 1, value);
      EXPECT_EQ(expect_error(ErrorKind::malformed, [&] { File::parse(bad.bytes, "f"); }).offset(),
                at);
    }
  }
}

TEST(ElfFile, NamesMachines) {
  elf::Header header;
  header.machine = elf::kMachineX86_64;
  EXPECT_EQ(elf::machine_name(header), "x86-64");
  header.is_64bit = false;
  EXPECT_EQ(elf::machine_name(header), "x32");
  header.machine = elf::kMachineRiscv;
  EXPECT_EQ(elf::machine_name(header), "riscv32");
  header.machine = 4321;
  EXPECT_EQ(elf::machine_name(header), "machine 4321");
}

}  // namespace
}  // namespace whittle
