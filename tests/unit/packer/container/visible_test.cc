// SPDX-License-Identifier: MIT
//
// What tools find in a packed file without unpacking it, as our own ELF reader sees it; the e2e
// tests ask Go, binutils and a scanner.
#include "packer/container/visible.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "common/go_buildinfo.h"
#include "packer/container/reader.h"
#include "packer/packer.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Bytes packed(const test::ElfSpec& spec) { return test::packed_form(test::build(spec).bytes); }

std::vector<std::string> section_names(const elf::File& file) {
  std::vector<std::string> names;
  for (const elf::Section& s : file.sections()) names.push_back(s.name);
  return names;
}

std::string content(const elf::File& file, const std::string& name) {
  const elf::Section* section = file.find_section(name);
  if (section == nullptr) return "(no such section)";
  EXPECT_EQ(file.offset_of(section->addr, section->size), section->offset) << "is not mapped";
  return std::string(as_text(file.bytes().subspan(section->offset, section->size)));
}

// Go's build information at an address that is a multiple of 16.
test::ElfSpec go_program(const Bytes& build_info) {
  test::ElfSpec spec = test::packable();
  spec.data = std::string(as_text(build_info)) + spec.data;
  return spec;
}

TEST(Visible, ProgramWithNothingToFindByNameHasNoSections) {
  const Bytes bytes = packed(test::packable());
  const elf::File file = elf::File::parse(bytes, "packed");
  EXPECT_EQ(file.header().shoff, 0u);
  EXPECT_EQ(file.header().shnum, 0u);
  EXPECT_TRUE(file.sections().empty());
}

TEST(Visible, EveryPackedFileHasANoteThatHoldsItsHeader) {
  const Bytes bytes = packed(test::packable());
  const elf::File file = elf::File::parse(bytes, "packed");
  const auto notes = file.notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].owner, "WHITTLE");
  EXPECT_EQ(notes[0].type, packer::kPackNoteType);
  const auto view = packer::PackedView::read(bytes, "packed");
  EXPECT_EQ(notes[0].descriptor.size(),
            packer::tables_size(view.header()) + sizeof(packer::PackHeader));
  EXPECT_EQ(notes[0].offset + notes[0].descriptor.size(),
            view.header_offset() + sizeof(packer::PackHeader));
}

TEST(Visible, GoBuildInformationIsFoundByNameAndByAddress) {
  const elf::GoBuildStrings strings{"go1.22.1", "path\texample.com/x\n"};
  const Bytes info = elf::inline_go_build_info(strings);
  const Bytes bytes = packed(go_program(info));
  const elf::File file = elf::File::parse(bytes, "packed");
  EXPECT_THAT(section_names(file),
              ElementsAre("", ".go.buildinfo", ".note", ".text", ".payload", ".shstrtab"));
  EXPECT_EQ(content(file, ".go.buildinfo"), as_text(info));
  EXPECT_EQ(file.find_section(".go.buildinfo")->addr % 16, 0u);
  const auto found = elf::find_go_build_strings(file);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, strings.version);
  EXPECT_EQ(found->modules, strings.modules);
}

TEST(Visible, GoBuildInformationOfOldProgramsIsWrittenWithItsStrings) {
  // Go 1.13 to 1.17: addresses of string headers. The data segment begins at data_vaddr.
  test::ElfSpec spec = test::packable();
  const std::uint64_t at = test::kDataBase + test::build(spec).data;
  const auto number = [](std::uint64_t value) {
    std::string text;
    for (int i = 0; i < 8; i++) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  spec.data = "\xff Go buildinf:" + std::string("\x08\0", 2) + number(at + 32) + number(at + 48) +
              number(at + 64) + number(8) + number(at + 72) + number(5) + "go1.16.3" + "lines" +
              spec.data;
  const Bytes bytes = packed(spec);
  const elf::File file = elf::File::parse(bytes, "packed");
  EXPECT_EQ(content(file, ".go.buildinfo"),
            as_text(elf::inline_go_build_info({"go1.16.3", "lines"})));
}

TEST(Visible, CratesAreKept) {
  test::ElfSpec spec = test::packable();
  spec.sections = {{".comment", "rustc"}, {".dep-v0", "x\x9c not really zlib"}};
  const Bytes bytes = packed(spec);
  EXPECT_EQ(content(elf::File::parse(bytes, "packed"), ".dep-v0"), spec.sections[1].second);
}

TEST(Visible, NotesThatIdentifyTheProgramAreKept) {
  test::ElfSpec spec = test::packable();
  spec.notes = {{"GNU", elf::kNoteGnuAbiTag, std::string(16, '\0')},
                {"GNU", elf::kNoteGnuBuildId, std::string(20, 'b')},
                {"Go", elf::kNoteGoBuildId, "an/odd/length"},
                {"FDO", 0xcafe1a7e, "{}"}};
  const Bytes bytes = packed(spec);
  const auto notes = elf::File::parse(bytes, "packed").notes();
  ASSERT_EQ(notes.size(), 4u);
  for (std::size_t i = 0; i < 3; i++) {
    EXPECT_EQ(notes[i].owner, spec.notes[i + 1].owner);
    EXPECT_EQ(notes[i].type, spec.notes[i + 1].type);
    EXPECT_EQ(notes[i].owner_bytes.size(), spec.notes[i + 1].owner.size() + 1);
    EXPECT_EQ(as_text(notes[i].descriptor), spec.notes[i + 1].descriptor);
  }
  EXPECT_EQ(notes[3].owner, "WHITTLE");
}

TEST(Visible, WhatIsAbsurdlyLargeIsLeftOutWithAWarning) {
  test::ElfSpec spec = test::packable();
  spec.sections = {{".dep-v0", std::string((1 << 20) + 1, 'c')}};
  const test::ElfImage image = test::build(spec);
  const packer::PackDecision decision = packer::pack(image.bytes, "f");
  ASSERT_TRUE(decision.packed);
  EXPECT_THAT(decision.packed->warnings, ElementsAre(HasSubstr(".dep-v0")));
  EXPECT_TRUE(elf::File::parse(decision.packed->bytes, "packed").sections().empty());
}

TEST(Visible, ShownFilesUnpackToTheOriginalAndVerify) {
  test::ElfSpec spec = go_program(elf::inline_go_build_info({"go1.22.1", "m"}));
  spec.sections = {{".dep-v0", "crates"}};
  spec.notes = {{"GNU", elf::kNoteGnuBuildId, std::string(19, 'b')}};
  const test::ElfImage image = test::build(spec);
  const Bytes bytes = test::packed_form(image.bytes);
  EXPECT_EQ(packer::unpack(bytes, "packed"), image.bytes);
  for (const packer::Check& check : packer::verify(bytes, "packed")) EXPECT_TRUE(check.ok);
}

}  // namespace
}  // namespace whittle
