// SPDX-License-Identifier: MIT
//
// Holds FORMAT.md to format.h: the tables of the document must list exactly the fields of each
// structure, in order, with their offsets and sizes.
#include "packer/format.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/file.h"

namespace whittle {
namespace {

struct Field {
  std::string_view name;
  std::size_t offset, size;
};

#define FIELD(type, field) \
  Field { #field, offsetof(packer::type, field), sizeof(packer::type::field) }

const std::vector<Field> kHeader = {
    FIELD(PackHeader, magic),         FIELD(PackHeader, file_digest),
    FIELD(PackHeader, run_digest),    FIELD(PackHeader, version),
    FIELD(PackHeader, machine),       FIELD(PackHeader, level),
    FIELD(PackHeader, first_held),    FIELD(PackHeader, header_vaddr),
    FIELD(PackHeader, image_vaddr),   FIELD(PackHeader, image_size),
    FIELD(PackHeader, entry),         FIELD(PackHeader, phdr_vaddr),
    FIELD(PackHeader, escape_vaddr),  FIELD(PackHeader, stub_vaddr),
    FIELD(PackHeader, stub_size),     FIELD(PackHeader, payload_vaddr),
    FIELD(PackHeader, payload_size),  FIELD(PackHeader, phnum),
    FIELD(PackHeader, segment_count), FIELD(PackHeader, stream_count),
    FIELD(PackHeader, region_count),  FIELD(PackHeader, original_size),
    FIELD(PackHeader, source_size),   FIELD(PackHeader, original_sha256),
    FIELD(PackHeader, source_sha256), FIELD(PackHeader, packer_version),
};
const std::vector<Field> kNote = {
    FIELD(PackNote, name_size),
    FIELD(PackNote, descriptor_size),
    FIELD(PackNote, type),
    FIELD(PackNote, name),
};
const std::vector<Field> kSegment = {
    FIELD(PackSegment, vaddr),       FIELD(PackSegment, memory_size), FIELD(PackSegment, file_size),
    FIELD(PackSegment, file_offset), FIELD(PackSegment, flags),       FIELD(PackSegment, guard),
};
const std::vector<Field> kStream = {
    FIELD(PackStream, address), FIELD(PackStream, raw_size), FIELD(PackStream, packed_size),
    FIELD(PackStream, kind),    FIELD(PackStream, codec),
};
const std::vector<Field> kRegion = {
    FIELD(PackRegion, address),    FIELD(PackRegion, size),       FIELD(PackRegion, transform),
    FIELD(PackRegion, first_part), FIELD(PackRegion, part_count),
};

std::string document() {
  const Bytes bytes = read_file(WHITTLE_SOURCE "/packer/FORMAT.md").bytes;
  return std::string(as_text(bytes));
}

// Rows "| offset | size | `name` |" of the first table after `heading`.
std::vector<std::string> rows_after(const std::string& text, const std::string& heading) {
  std::vector<std::string> rows;
  std::size_t at = text.find("| --- |", text.find(heading));
  if (at == std::string::npos) return rows;
  at = text.find('\n', at) + 1;
  while (text[at] == '|') {
    std::size_t cut = at;
    for (int bars = 0; bars < 4; bars++) cut = text.find('|', cut) + 1;
    rows.push_back(text.substr(at, cut - at));
    at = text.find('\n', at) + 1;
  }
  return rows;
}

void expect_documented(const std::string& heading, const std::vector<Field>& fields,
                       std::size_t size) {
  std::vector<std::string> expected;
  std::size_t at = 0;
  for (const Field& field : fields) {
    EXPECT_EQ(field.offset, at) << field.name << ": a field is missing from this test";
    at = field.offset + field.size;
    expected.push_back(fmt::format("| {} | {} | `{}` |", field.offset, field.size, field.name));
  }
  EXPECT_EQ(at, size);
  EXPECT_EQ(rows_after(document(), heading), expected) << heading;
}

TEST(Format, DocumentListsEveryField) {
  expect_documented("## PackHeader", kHeader, sizeof(packer::PackHeader));
  expect_documented("`PackNote`, the", kNote, sizeof(packer::PackNote));
  expect_documented("`PackSegment`, one", kSegment, sizeof(packer::PackSegment));
  expect_documented("`PackStream`, in", kStream, sizeof(packer::PackStream));
  expect_documented("`PackRegion`, ranges", kRegion, sizeof(packer::PackRegion));
}

TEST(Format, DocumentNamesTheExitStatuses) {
  const std::string text = document();
  for (const int status : {packer::kExitDamaged, packer::kExitNoMemory, packer::kExitForbidden}) {
    EXPECT_NE(text.find(fmt::format("| {} |", status)), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace whittle
