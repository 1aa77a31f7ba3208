// SPDX-License-Identifier: MIT
#include "common/section_table.h"

#include <gtest/gtest.h>

#include "tests/unit/common/elf_builder.h"

namespace whittle {
namespace {

// Appends a table to a file without one and reads it back with our own reader.
TEST(SectionTable, IsReadBackInEveryForm) {
  for (const bool is_64bit : {true, false}) {
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      test::ElfSpec spec;
      spec.is_64bit = is_64bit;
      spec.order = order;
      test::ElfImage image = test::build(spec);
      const elf::Header header = elf::File::parse(image.bytes, "f").header();
      const std::vector<elf::SectionEntry> entries = {
          {.name = ".first", .flags = 2, .addr = 0x400040, .offset = 64, .size = 10, .align = 16},
          {.name = ".second", .type = 7, .offset = 70, .size = 3, .align = 4}};
      const std::uint64_t names_at = image.bytes.size();
      const Bytes names = elf::section_names(entries);
      const Bytes headers = elf::section_headers(entries, names_at, header);
      EXPECT_EQ(headers.size(), 4u * elf::section_header_size(header));
      image.bytes.insert(image.bytes.end(), names.begin(), names.end());
      image.set(is_64bit ? 40 : 32, image.word(), image.bytes.size());
      image.set(is_64bit ? 60 : 48, 2, 4);
      image.set(is_64bit ? 62 : 50, 2, 3);
      image.bytes.insert(image.bytes.end(), headers.begin(), headers.end());

      const elf::File file = elf::File::parse(image.bytes, "f");
      EXPECT_EQ(file.section_problem(), "");
      ASSERT_EQ(file.sections().size(), 4u);
      EXPECT_EQ(file.sections()[0].type, elf::kSectionNull);
      for (std::size_t i = 0; i < entries.size(); i++) {
        const elf::Section& section = file.sections()[i + 1];
        EXPECT_EQ(section.name, entries[i].name);
        EXPECT_EQ(section.type, entries[i].type);
        EXPECT_EQ(section.flags, entries[i].flags);
        EXPECT_EQ(section.addr, entries[i].addr);
        EXPECT_EQ(section.offset, entries[i].offset);
        EXPECT_EQ(section.size, entries[i].size);
      }
      EXPECT_EQ(file.sections()[3].name, ".shstrtab");
      EXPECT_EQ(file.sections()[3].size, names.size());
    }
  }
}

}  // namespace
}  // namespace whittle
