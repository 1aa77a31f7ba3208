// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include "packer/container/reader.h"
#include "packer/container/stubs.h"
#include "packer/format.h"
#include "packer/packer.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using packer::PackDecision;
using testing::HasSubstr;

TEST(Pack, GivesBackWhatWasPacked) {
  const test::ElfImage image = test::build(test::packable());
  const Bytes packed = test::packed_form(image.bytes);
  EXPECT_LT(packed.size(), image.bytes.size() / 2);
  EXPECT_EQ(packer::unpack(packed, "packed"), image.bytes);
}

TEST(Pack, KnowsTheCodeOfEachMachine) {
  for (const std::uint16_t machine : test::kMachines) {
    SCOPED_TRACE(machine);
    const test::ElfImage image = test::build(test::packable(machine));
    const Bytes packed = test::packed_form(image.bytes);
    EXPECT_EQ(packer::unpack(packed, "packed"), image.bytes);
    const packer::PackedView view = packer::PackedView::read(packed, "packed");
    EXPECT_EQ(view.header().machine, machine);
    ASSERT_EQ(view.regions().size(), 1U);
    EXPECT_EQ(view.regions()[0].transform, packer::find_machine(machine)->transform);

    // Without its code transform it would be larger.
    test::ElfSpec other = test::packable(machine);
    for (std::size_t i = 0; i + 1 < other.code.size(); i += 2) {
      std::swap(other.code[i], other.code[i + 1]);
    }
    EXPECT_LT(packed.size(), test::packed_form(test::build(other).bytes).size());
  }
}

// Instructions of riscv64 are read as words from even addresses.
TEST(Pack, CodeThatIsNotAlignedStaysAsItIs) {
  test::ElfImage image = test::build(test::packable(elf::kMachineRiscv));
  const auto change = [&](std::string_view field, std::uint64_t by) {
    const std::uint64_t at = image.segment_field(0, field);
    std::uint64_t value;
    std::memcpy(&value, image.bytes.data() + at, sizeof value);
    image.set(at, sizeof value, value + by);
  };
  for (const char* field : {"offset", "vaddr"}) change(field, 1);
  for (const char* field : {"filesz", "memsz"}) change(field, ~std::uint64_t{0});
  const Bytes packed = test::packed_form(image.bytes);
  EXPECT_TRUE(packer::PackedView::read(packed, "packed").regions().empty());
  EXPECT_EQ(packer::unpack(packed, "packed"), image.bytes);
}

TEST(Pack, GivesBackBytesThatNoSegmentMaps) {
  test::ElfSpec spec = test::packable();
  spec.sections = {{".debug_info", test::some_code(20000, 3)}, {".comment", "a compiler"}};
  const test::ElfImage image = test::build(spec);
  EXPECT_EQ(packer::unpack(test::packed_form(image.bytes), "packed"), image.bytes);
}

TEST(Pack, GivesBackARealProgram) {
  const char* path = "/bin/busybox";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "busybox-static is not installed";
  const Bytes original = read_file(path).bytes;
  const Bytes packed = test::packed_form(original);
  EXPECT_LT(packed.size(), original.size() * 45 / 100);
  EXPECT_EQ(packer::unpack(packed, "packed"), original);
}

TEST(Pack, SameInputSameBytes) {
  const test::ElfImage image = test::build(test::packable());
  EXPECT_EQ(test::packed_form(image.bytes), test::packed_form(image.bytes));
}

TEST(Pack, ReportsProgressUpToTheTotal) {
  const test::ElfImage image = test::build(test::packable());
  packer::PackOptions options;
  std::uint64_t last_done = 0, last_total = 0;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    last_done = done;
    last_total = total;
  };
  test::packed_form(image.bytes, options);
  EXPECT_EQ(last_done, last_total);
  EXPECT_GE(last_total, std::uint64_t{110000});
}

TEST(Pack, SaysWhatItPacked) {
  const test::ElfImage image = test::build(test::packable());
  const Bytes packed = test::packed_form(image.bytes);
  const packer::PackInfo info = packer::inspect(packed, "packed");
  EXPECT_EQ(info.format_version, packer::kFormatVersion);
  EXPECT_EQ(info.level, "fast");
  EXPECT_EQ(info.machine, "x86-64");
  EXPECT_EQ(info.packed_size, packed.size());
  EXPECT_EQ(info.original_size, image.bytes.size());
  EXPECT_EQ(info.original_sha256, to_hex(sha256(image.bytes)));
  EXPECT_EQ(info.source_sha256, info.original_sha256);
  std::uint64_t packed_bytes = 0, raw_bytes = 0;
  for (const packer::StreamInfo& stream : info.streams) {
    packed_bytes += stream.packed_size;
    raw_bytes += stream.raw_size;
  }
  EXPECT_EQ(raw_bytes, image.bytes.size());
  EXPECT_LT(packed_bytes + info.stub_size, packed.size());
}

TEST(Pack, SaysWhatEachStreamHolds) {
  const Bytes packed = test::packed_form(test::build(test::packable()).bytes);
  const auto streams = packer::inspect(packed, "packed").streams;
  ASSERT_FALSE(streams.empty());
  std::uint64_t in_segments = 0, outside = 0;
  for (const packer::StreamInfo& stream : streams) {
    EXPECT_THAT(stream.codec, testing::AnyOf("zstd", "stored"));
    EXPECT_EQ(stream.part_count, 0U);
    if (stream.name == "image") {
      EXPECT_THAT(stream.holds, testing::MatchesRegex("segment r[-w][-x]"));
      in_segments++;
    } else {
      EXPECT_EQ(stream.holds, "outside the segments");
      EXPECT_EQ(stream.transform, "");
      outside++;
    }
  }
  EXPECT_GT(in_segments, 0U);
  EXPECT_LE(outside, 1U);
}

TEST(Pack, RemembersTheFileBeforeItWasStripped) {
  const test::ElfImage image = test::build(test::packable());
  test::ElfSpec with_symbols = test::packable();
  with_symbols.sections = {{".symtab", std::string(5000, 's')}};
  const test::ElfImage source = test::build(with_symbols);
  packer::PackOptions options;
  options.stripped_from = source.bytes;
  const packer::PackInfo info = packer::inspect(test::packed_form(image.bytes, options), "packed");
  EXPECT_EQ(info.source_size, source.bytes.size());
  EXPECT_EQ(info.source_sha256, to_hex(sha256(source.bytes)));
  EXPECT_EQ(info.original_sha256, to_hex(sha256(image.bytes)));
}

TEST(Pack, VerifyHoldsForAFreshFile) {
  const Bytes packed = test::packed_form(test::build(test::packable()).bytes);
  const auto checks = packer::verify(packed, "packed");
  EXPECT_EQ(checks.size(), 5U);
  for (const packer::Check& check : checks) EXPECT_TRUE(check.ok) << check.name << check.detail;
}

// A change of the format would leave the fuzzer with inputs that the reader turns away at once:
// pack them anew.
TEST(Pack, FuzzingBeginsWithSoundFiles) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(WHITTLE_SOURCE "/tests/fuzz/corpus/packed")) {
    const std::string path = entry.path().string();
    EXPECT_NO_THROW(packer::unpack(read_file(path).bytes, path));
    count++;
  }
  EXPECT_GE(count, std::size(test::kMachines));
}

TEST(Pack, UnpackOfADamagedFileSaysWhichCheckFailed) {
  Bytes packed = test::packed_form(test::build(test::packable()).bytes);
  packed.back() ^= 1;
  try {
    packer::unpack(packed, "app.packed");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_THAT(error.what(), HasSubstr("app.packed: the packed file is damaged"));
  }
}

TEST(Pack, RefusesAFileThatWouldNotGetSmaller) {
  const PackDecision decision = packer::pack(test::build(test::ElfSpec{}).bytes, "tiny");
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->code, "not-smaller");
}

TEST(Pack, RefusesAFileThatReadersWouldTakeForABomb) {
  test::ElfSpec spec = test::packable();
  spec.data = std::string(40'000'000, '\0');
  const PackDecision decision = packer::pack(test::build(spec).bytes, "zeros");
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->code, "expansion");
}

TEST(Pack, StoresWhatDoesNotCompress) {
  std::mt19937_64 random(3);
  test::ElfSpec spec = test::packable();
  spec.data.clear();
  for (int i = 0; i < 30000; i++) spec.data += static_cast<char>(random());
  const test::ElfImage image = test::build(spec);
  const Bytes packed = test::packed_form(image.bytes);
  EXPECT_EQ(packer::unpack(packed, "packed"), image.bytes);
  const auto streams = packer::inspect(packed, "packed").streams;
  EXPECT_TRUE(std::any_of(streams.begin(), streams.end(),
                          [](const auto& s) { return s.raw_size == s.packed_size; }));
}

TEST(Pack, ThePackedFileIsAnOrdinaryExecutable) {
  for (const std::uint16_t machine : test::kMachines) {
    const Bytes packed = test::packed_form(test::build(test::packable(machine)).bytes);
    const elf::File file = elf::File::parse(packed, "packed");
    EXPECT_EQ(file.header().type, elf::kTypeExec);
    EXPECT_EQ(file.header().machine, machine);
    const std::uint64_t page = packer::find_machine(machine)->page_size;
    std::uint64_t end = 0;
    for (const elf::Segment& s : file.segments()) {
      if (s.type != elf::kSegmentLoad) continue;
      EXPECT_FALSE((s.flags & elf::kFlagWrite) && (s.flags & elf::kFlagExecute));
      EXPECT_GE(align_down(s.vaddr, page), end) << "segments ascend";
      EXPECT_EQ(s.vaddr % page, s.offset % page);
      EXPECT_EQ(s.align, page);
      end = s.memory_end();
    }
    EXPECT_TRUE(file.offset_of(file.header().entry));
  }
}

}  // namespace
}  // namespace whittle
