// SPDX-License-Identifier: MIT
//
// What the packer does not take, each with its code. A refusal is a value; only headers that cannot
// be right are errors.
#include "packer/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "common/error.h"
#include "packer/packer.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

std::string refusal_code(const Bytes& file, const packer::PackOptions& options = {}) {
  const auto refusal = packer::check(file, "subject", options).refusal;
  EXPECT_TRUE(!refusal || !refusal->reason.empty());
  return refusal ? refusal->code : "";
}

struct RefusalCase {
  const char* name;
  const char* code;
  std::function<Bytes()> file;
};

// The program headers of a static ElfSpec without extras: 0 is R-X, 1 is RW-.
Bytes with_field(std::uint64_t segment, std::string_view field, unsigned width,
                 std::uint64_t value) {
  test::ElfImage image = test::build(test::packable());
  image.set(image.segment_field(segment, field), width, value);
  return image.bytes;
}

// The data segment at the page of `address`, congruent with its file offset.
Bytes with_data_at(std::uint64_t address) {
  const Bytes bytes = test::build(test::packable()).bytes;
  const std::uint64_t offset = elf::File::parse(bytes, "subject").segments()[1].offset;
  return with_field(1, "vaddr", 8, address + offset % 4096);
}

// The code segment's memory ends where the data segment's begins, inside a page.
Bytes with_code_up_to_data() {
  const Bytes bytes = test::build(test::packable()).bytes;
  const elf::File file = elf::File::parse(bytes, "subject");
  return with_field(0, "memsz", 8, file.segments()[1].vaddr - file.segments()[0].vaddr);
}

// The section `.comment`, which follows the segments, no longer claims its first bytes.
Bytes with_data_in_a_gap() {
  test::ElfSpec spec = test::packable();
  spec.sections = {{".comment", "gap and comment"}};
  test::ElfImage image = test::build(spec);
  const elf::File file = elf::File::parse(image.bytes, "subject");
  for (std::size_t i = 0; i < file.sections().size(); i++) {
    if (file.sections()[i].name != ".comment") continue;
    const std::uint64_t header = file.header().shoff + i * file.header().shentsize;
    image.set(header + 24, 8, file.sections()[i].offset + 4);
    image.set(header + 32, 8, file.sections()[i].size - 4);
  }
  return image.bytes;
}

// The code's segment ends eight bytes earlier in the file than in memory.
Bytes with_visible_tail() {
  test::ElfImage image = test::build(test::packable());
  const elf::Segment code = elf::File::parse(image.bytes, "subject").segments()[0];
  image.set(image.segment_field(0, "filesz"), 8, code.filesz - 8);
  std::fill_n(image.bytes.begin() + static_cast<std::ptrdiff_t>(code.file_end() - 8), 8, 0xcc);
  return image.bytes;
}

Bytes with_spec(const std::function<void(test::ElfSpec&)>& change) {
  test::ElfSpec spec = test::packable();
  change(spec);
  return test::build(spec).bytes;
}

Bytes with_header_field(std::uint64_t offset, unsigned width, std::uint64_t value) {
  test::ElfImage image = test::build(test::packable());
  image.set(offset, width, value);
  return image.bytes;
}

// The program headers stand in a section that is not loaded.
Bytes with_headers_in_no_segment() {
  test::ElfSpec spec = test::packable();
  spec.sections = {{".comment", std::string(2 * std::size_t{56}, 'c')}};
  test::ElfImage image = test::build(spec);
  const elf::File file = elf::File::parse(image.bytes, "subject");
  const std::uint64_t to = file.find_section(".comment")->offset;
  const auto from = image.bytes.begin() + static_cast<std::ptrdiff_t>(file.header().phoff);
  std::copy_n(from, 2 * 56, image.bytes.begin() + static_cast<std::ptrdiff_t>(to));
  image.set(32, 8, to);  // e_phoff
  return image.bytes;
}

TEST(Plan, RefusesWithAStableCode) {
  const RefusalCase cases[] = {
      {"interpreter", "dynamic",
       [] { return with_spec([](auto& s) { s.interpreter = "/lib/ld.so"; }); }},
      {"needed library", "dynamic",
       [] { return with_spec([](auto& s) { s.needed = {"libc.so.6"}; }); }},
      {"shared object", "shared-object",
       [] {
         return with_spec([](auto& s) {
           s.type = elf::kTypeDyn;
           s.dynamic = true;
         });
       }},
      {"relocatable", "not-executable",
       [] { return with_spec([](auto& s) { s.type = elf::kTypeRel; }); }},
      {"core", "not-executable",
       [] { return with_spec([](auto& s) { s.type = elf::kTypeCore; }); }},
      {"other type", "not-executable", [] { return with_spec([](auto& s) { s.type = 0xfe00; }); }},
      {"32-bit", "machine",
       [] {
         return with_spec([](auto& s) {
           s.is_64bit = false;
           s.machine = elf::kMachine386;
         });
       }},
      {"big-endian", "machine",
       [] {
         return with_spec([](auto& s) {
           s.order = ByteOrder::big;
           s.machine = elf::kMachinePpc64;
         });
       }},
      {"unknown machine", "machine", [] { return with_spec([](auto& s) { s.machine = 9999; }); }},
      {"overlay", "overlay", [] { return with_spec([](auto& s) { s.overlay = "PK\3\4zip"; }); }},
      {"FreeBSD", "system", [] { return with_header_field(7, 1, 9); }},
      {"data in a section", "payload-section",
       [] { return with_spec([](auto& s) {
              s.sections = {{".bundle", "data"}};
            }); }},
      {"data in a section named as if it were debug information", "payload-section",
       [] { return with_spec([](auto& s) {
              s.sections = {{".debug_payload", "data"}};
            }); }},
      {"data between sections", "overlay", with_data_in_a_gap},
      {"read-only segment with the file's bytes behind its own", "segment-tail", with_visible_tail},
      {"data in a section without a name", "payload-section",
       [] { return with_spec([](auto& s) {
              s.sections = {{"", "data"}};
            }); }},
      {"segments that overlap", "overlap", [] { return with_field(0, "memsz", 8, 0x300000); }},
      {"headers in no segment", "headers-not-loaded", with_headers_in_no_segment},
      {"far apart", "sparse", [] { return with_data_at(std::uint64_t{1} << 40); }},
      {"no segments", "no-segments", [] { return with_header_field(56, 2, 0); }},
      {"entry in no segment", "entry", [] { return with_header_field(24, 8, 0x10); }},
      {"entry in data", "entry", [] { return with_header_field(24, 8, 0x500000); }},
      {"flags", "segment-flags", [] { return with_field(0, "flags", 4, 0x105); }},
      {"alignment not a power of two", "alignment",
       [] { return with_field(0, "align", 8, 0x1001); }},
      {"huge alignment", "alignment",
       [] { return with_field(0, "align", 8, std::uint64_t{1} << 40); }},
      {"not congruent", "alignment", [] { return with_field(1, "vaddr", 8, 0x600010); }},
      {"kernel address", "address", [] { return with_data_at(0xffffffff80000000); }},
      {"segments in one page", "overlap", [] { return with_code_up_to_data(); }},
      {"segments out of order", "overlap", [] { return with_data_at(0x300000); }},
  };
  for (const RefusalCase& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(refusal_code(c.file()), c.code);
  }
}

TEST(Plan, RefusesSegmentsThatShareTheirBytesTooOften) {
  // 62 times the same 35 MB.
  constexpr std::uint64_t kSize = 35 << 20, kCount = 62;
  test::ElfImage image = test::build(test::packable());
  image.set(32, 8, kSize - kCount * 56);  // e_phoff
  image.set(56, 2, kCount);               // e_phnum
  const auto header = image.bytes.begin() + 64;
  Bytes load(header, header + 56);
  image.bytes.resize(kSize - kCount * 56);
  for (std::uint64_t i = 0; i < kCount; i++) {
    image.bytes.insert(image.bytes.end(), load.begin(), load.end());
    const std::uint64_t at = image.bytes.size() - 56;
    image.set(at + 16, 8, test::kBase + (i << 28));  // p_vaddr
    image.set(at + 32, 8, kSize);                    // p_filesz
    image.set(at + 40, 8, kSize);                    // p_memsz
  }
  EXPECT_EQ(refusal_code(image.bytes), "too-large");
}

TEST(Plan, RefusesPrivilegedFilesUnlessAsked) {
  const Bytes file = test::build(test::packable()).bytes;
  EXPECT_EQ(refusal_code(file, {.privileged = true, .stripped_from = {}, .progress = {}}),
            "privileged");
  EXPECT_EQ(refusal_code(file), "");
}

TEST(Plan, WarnsOfMemoryThatIsWritableAndExecutable) {
  test::ElfImage image = test::build(test::packable());
  image.set(64 + 4, 4, elf::kFlagRead | elf::kFlagWrite | elf::kFlagExecute);  // p_flags
  const auto packability = packer::check(image.bytes, "subject");
  EXPECT_FALSE(packability.refusal);
  ASSERT_EQ(packability.warnings.size(), 1U);
  EXPECT_NE(packability.warnings[0].find("writable and executable"), std::string::npos);
  EXPECT_TRUE(packer::check(test::build(test::packable()).bytes, "subject").warnings.empty());
}

TEST(Plan, RefusesPackedFiles) {
  const Bytes packed = test::packed_form(test::build(test::packable()).bytes);
  EXPECT_TRUE(packer::is_packed(packed));
  EXPECT_EQ(refusal_code(packed), "already-packed");
}

TEST(Plan, TakesAStaticPie) {
  EXPECT_EQ(refusal_code(with_spec([](auto& s) {
              s.type = elf::kTypeDyn;
              s.dynamic = true;
              s.pie_flag = true;
            })),
            "");
}

TEST(Plan, MalformedIsAnErrorNotARefusal) {
  EXPECT_THROW(packer::check(Bytes{}, "empty"), Error);
  EXPECT_THROW(packer::check(Bytes(100, 'x'), "text"), Error);
  EXPECT_THROW(packer::check(with_field(0, "filesz", 8, UINT64_MAX), "file size"), Error);
}

TEST(Plan, CoversEveryByteOnce) {
  const Bytes bytes = with_spec([](auto& s) {
    s.sections = {{".comment", std::string(3000, 'c')}};
  });
  const elf::File file = elf::File::parse(bytes, "subject");
  const auto decision = packer::plan(file);
  const auto& plan = std::get<packer::PackPlan>(decision);
  std::uint64_t covered = 0;
  for (const auto& s : plan.segments) covered += s.file_size;
  for (const auto& r : plan.rest) covered += r.size;
  EXPECT_EQ(covered, bytes.size());
}

TEST(Plan, EscapeLiesBehindCodeInItsLastPage) {
  const Bytes bytes = test::build(test::packable()).bytes;
  const elf::File file = elf::File::parse(bytes, "subject");
  const auto decision = packer::plan(file);
  const auto& plan = std::get<packer::PackPlan>(decision);
  ASSERT_NE(plan.escape_vaddr, 0U);
  const elf::Segment& code = file.segments()[0];
  EXPECT_GE(plan.escape_vaddr, code.memory_end());
  EXPECT_LE(plan.escape_vaddr + packer::kEscapeSize, align_up(code.memory_end(), 4096));
}

packer::PackPlan planned(const Bytes& bytes) {
  return std::get<packer::PackPlan>(packer::plan(elf::File::parse(bytes, "subject")));
}

// An aarch64 program, its data segment moved by `shift` against its place in the file.
Bytes aarch64_with_data_shifted_by(std::uint64_t shift) {
  test::ElfImage image = test::build(test::packable(elf::kMachineAarch64));
  const std::uint64_t vaddr = elf::File::parse(image.bytes, "subject").segments()[1].vaddr + shift;
  image.set(image.segment_field(1, "vaddr"), 8, vaddr);
  return image.bytes;
}

TEST(Plan, LayoutFitsTheLargestPagesOnWhichTheOriginalRuns) {
  EXPECT_EQ(planned(test::build(test::packable()).bytes).page_size, 4096U);
  EXPECT_EQ(planned(aarch64_with_data_shifted_by(0)).page_size, 65536U);
  EXPECT_EQ(planned(aarch64_with_data_shifted_by(0x10000)).page_size, 65536U);
  EXPECT_EQ(planned(aarch64_with_data_shifted_by(0x4000)).page_size, 16384U) << "not congruent";
  EXPECT_EQ(planned(aarch64_with_data_shifted_by(0x1000)).page_size, 4096U);

  // Code and data in one page of 64 KiB: the same place in memory as in the file, 16 KiB apart.
  test::ElfSpec spec = test::packable(elf::kMachineAarch64);
  spec.code.resize(20000);
  test::ElfImage image = test::build(spec);
  const elf::File file = elf::File::parse(image.bytes, "subject");
  image.set(image.segment_field(0, "filesz"), 8, 0x3000);
  image.set(image.segment_field(0, "memsz"), 8, 0x3000);
  image.set(image.segment_field(1, "vaddr"), 8, test::kBase + file.segments()[1].offset);
  std::fill(image.bytes.begin() + 0x3000,
            image.bytes.begin() + static_cast<std::ptrdiff_t>(file.segments()[1].offset), 0);
  EXPECT_EQ(planned(image.bytes).page_size, 16384U);
}

TEST(Plan, LayoutDoesNotNeedThePageAtAddressZero) {
  // Everything 4 MiB lower but for one page: the first segment at 0x1000.
  test::ElfImage image = test::build(test::packable(elf::kMachineAarch64));
  for (const std::uint64_t i : {0, 1}) {
    const std::uint64_t vaddr = elf::File::parse(image.bytes, "subject").segments()[i].vaddr;
    image.set(image.segment_field(i, "vaddr"), 8, vaddr - test::kBase + 0x1000);
  }
  image.set(24, 8, image.code + 0x1000);
  const packer::PackPlan plan = planned(image.bytes);
  EXPECT_EQ(plan.page_size, 4096U);
  EXPECT_EQ(plan.image_vaddr, 0x1000U);
}

TEST(Plan, ImageEndsWithItsLastSmallPage) {
  const packer::PackPlan plan = planned(aarch64_with_data_shifted_by(0));
  const packer::PackSegment& last = plan.segments.back();
  EXPECT_EQ(plan.image_vaddr % 65536, 0U);
  EXPECT_EQ(plan.image_vaddr + plan.image_size, align_up(last.vaddr + last.memory_size, 4096));
}

TEST(Plan, SurvivesDamagedHeaders) {
  const Bytes file = test::build(test::packable()).bytes;
  int planned = 0;
  for (std::uint64_t seed = 1; seed <= 300; seed++) {
    std::mt19937_64 random(seed);
    Bytes damaged = file;
    for (int i = 0; i < 3; i++) {
      damaged[random() % 512] = static_cast<std::uint8_t>(random());
    }
    try {
      if (!packer::check(damaged, "damaged").refusal) planned++;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::malformed) << error.what();
    }
  }
  EXPECT_GT(planned, 0);
}

}  // namespace
}  // namespace whittle
