// SPDX-License-Identifier: MIT
#include "common/payload_section.h"

#include <gtest/gtest.h>

#include "tests/unit/common/elf_builder.h"

namespace whittle {
namespace {

std::string payload_in(const Bytes& bytes) {
  const elf::File file = elf::File::parse(bytes, "f");
  const elf::Section* found = elf::find_payload_section(file);
  return found == nullptr ? "none" : found->name;
}

// The name of the payload section of a file with these sections, each of PROGBITS; "none".
std::string payload_of(const std::vector<std::string>& names) {
  test::ElfSpec spec;
  for (const std::string& name : names) spec.sections.emplace_back(name, "some bytes");
  return payload_in(test::build(spec).bytes);
}

TEST(PayloadSection, WhatToolsWriteIsNone) {
  EXPECT_EQ(payload_of({}), "none");
  EXPECT_EQ(payload_of({".comment", ".symtab", ".debug_info", ".debug_line_str", ".zdebug_loc",
                        ".debug_info.dwo", ".gnu_debuglink", ".note.stapsdt", ".dep-v0",
                        ".riscv.attributes", ".gdb_index", ".stab", ".BTF"}),
            "none");
}

TEST(PayloadSection, NamesThatOnlyBeginLikeAToolsAreData) {
  for (const char* name :
       {".myres", "", "data", ".note.mydata", ".relres", ".rela", ".rel", ".rela.nosuch",
        ".debug_payload", ".debug", ".debug_", ".zdebug_data", ".comment2", ".gnu_data",
        ".gnu.build.attributes.data", ".strtab2", ".symtab.zip", ".llvm", ".rackboot"}) {
    EXPECT_EQ(payload_of({".comment", name, ".debug_info"}), name);
  }
}

// The same for a file that has .symtab and a section of this type: sh_link of .symtab
// and sh_info of the section are as given.
constexpr std::uint32_t kSymbols = 2, kIt = 3;
std::string payload_with(const std::string& name, std::uint32_t type, std::uint32_t link,
                         std::uint32_t info) {
  test::ElfSpec spec;
  spec.sections = {{".symtab", std::string(24, 's')}, {name, "some bytes"}};
  test::ElfImage image = test::build(spec);
  const std::uint64_t headers = elf::File::parse(image.bytes, "f").header().shoff;
  image.set(headers + kSymbols * 64 + 4, 4, elf::kSectionSymTab);
  image.set(headers + kSymbols * 64 + 40, 4, link);
  image.set(headers + kIt * 64 + 4, 4, type);
  image.set(headers + kIt * 64 + 44, 4, info);
  EXPECT_EQ(elf::File::parse(image.bytes, "f").sections()[kIt].name, name);
  return payload_in(image.bytes);
}

TEST(PayloadSection, StringsBelongToASymbolTable) {
  EXPECT_EQ(payload_with(".strtab", elf::kSectionStrTab, kIt, 0), "none");
  EXPECT_EQ(payload_with(".strtab", elf::kSectionStrTab, 0, 0), ".strtab");
}

TEST(PayloadSection, RelocationsAreOfASectionThatExists) {
  EXPECT_EQ(payload_with(".rela.symtab", elf::kSectionRela, 0, kSymbols), "none");
  EXPECT_EQ(payload_with(".rel.symtab", elf::kSectionRel, 0, kSymbols), "none");
  EXPECT_EQ(payload_with(".rela.symtab", elf::kSectionRela, 0, 0), ".rela.symtab");
  EXPECT_EQ(payload_with(".rela.symtab", elf::kSectionRela, 0, 999), ".rela.symtab");
  EXPECT_EQ(payload_with(".relres", elf::kSectionRel, 0, kSymbols), ".relres");
}

TEST(PayloadSection, AWarningOfTheLinkersIsText) {
  EXPECT_EQ(payload_of({".gnu.warning.tmpnam"}), "none");
  test::ElfSpec spec;
  spec.sections = {{".gnu.warning.tmpnam", std::string("the use is dangerous\0", 21)}};
  EXPECT_EQ(payload_in(test::build(spec).bytes), "none");
  for (const std::string& data : {std::string("PK\3\4"), std::string(2000, 'x')}) {
    spec.sections = {{".gnu.warning.tmpnam", data}};
    EXPECT_EQ(payload_in(test::build(spec).bytes), ".gnu.warning.tmpnam");
  }
}

TEST(PayloadSection, NotesOfToolsAreKnownByName) {
  EXPECT_EQ(payload_with(".note.stapsdt", elf::kSectionNote, 0, 0), "none");
  EXPECT_EQ(payload_with(".gnu.build.attributes.hot", elf::kSectionNote, 0, 0), "none");
  EXPECT_EQ(payload_with(".note.mydata", elf::kSectionNote, 0, 0), ".note.mydata");
}

}  // namespace
}  // namespace whittle
