// SPDX-License-Identifier: MIT
#include "analyzer/lief_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "common/elf.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {
namespace {

using testing::Contains;
using testing::Field;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

LiefSummary example() {
  LiefSummary summary;
  summary.machine = 62;
  summary.bits = 64;
  summary.type = 3;
  summary.entry = 0x401000;
  summary.segments = 9;
  summary.symbols = 100;
  summary.dynamic_symbols = 10;
  summary.interpreter = "/lib/ld.so";
  summary.needed = {"liba.so", "libb.so"};
  summary.sections = {{"", "NULL"}, {".text", "PROGBITS"}};
  return summary;
}

TEST(LiefSummary, CrossesThePipe) {
  const LiefSummary summary = decode(encode(example()));
  EXPECT_EQ(summary.machine, 62u);
  EXPECT_EQ(summary.bits, 64u);
  EXPECT_EQ(summary.type, 3u);
  EXPECT_EQ(summary.entry, 0x401000u);
  EXPECT_EQ(summary.segments, 9u);
  EXPECT_EQ(summary.symbols, 100u);
  EXPECT_EQ(summary.dynamic_symbols, 10u);
  EXPECT_EQ(summary.interpreter, "/lib/ld.so");
  EXPECT_EQ(summary.needed, (std::vector<std::string>{"liba.so", "libb.so"}));
  ASSERT_EQ(summary.sections.size(), 2u);
  EXPECT_EQ(summary.sections[1].name, ".text");
  EXPECT_EQ(summary.sections[1].type, "PROGBITS");
}

TEST(LiefSummary, IsBoundedWhateverLiefSays) {
  LiefSummary summary;
  summary.interpreter = std::string(10'000'000, 'x');
  summary.needed.assign(100'000, "lib.so");
  const LiefSummary decoded = decode(encode(summary));
  EXPECT_EQ(decoded.interpreter.size(), 1024u);
  EXPECT_EQ(decoded.needed.size(), 10'000u);
}

TEST(LiefSummary, RejectsTruncationAtEveryByteAndBytesBehindTheEnd) {
  Bytes bytes = encode(example());
  for (std::size_t size = 0; size < bytes.size(); size++) {
    test::expect_error(ErrorKind::malformed, [&] { decode(ByteView(bytes).first(size)); });
  }
  bytes.push_back(0);
  test::expect_error(ErrorKind::malformed, [&] { decode(bytes); });
}

TEST(LiefSummary, SurvivesMutations) {
  test::expect_survives(encode(example()), 1000, [](ByteView damaged) { decode(damaged); });
}

TEST(Lief, ReadsARealProgram) {
  WHITTLE_NEEDS_PROGRAM("c_dynamic");
  const LiefAnswer answer = read_with_lief(test::load_program("c_dynamic"));
  ASSERT_TRUE(answer.summary) << answer.problem;
  EXPECT_EQ(answer.summary->machine, static_cast<std::uint32_t>(elf::kMachineX86_64));
  EXPECT_EQ(answer.summary->bits, 64u);
  EXPECT_EQ(answer.summary->interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_THAT(answer.summary->needed, Contains("libc.so.6"));
  EXPECT_THAT(answer.summary->sections, Contains(Field(&LiefSection::type, "DYNAMIC")));
  EXPECT_GT(answer.summary->symbols, 20u);
  EXPECT_GT(answer.summary->dynamic_symbols, 1u);
}

TEST(Lief, WorksFromManyThreads) {
  const test::ElfImage image = test::build({});
  std::atomic<int> answers = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; i++) {
        const LiefAnswer answer = read_with_lief(image.bytes);
        // See LimitedChild.WorksFromManyThreads for what AddressSanitizer adds.
        if (answer.summary || (kSanitized && answer.problem == "took too long")) answers++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers, 20);
}

// Whatever LIEF does with these, this process gets a summary or a reason.
TEST(Lief, SurvivesMutations) {
  test::ElfSpec spec;
  spec.type = elf::kTypeDyn;
  spec.interpreter = "/lib/ld.so";
  spec.needed = {"libc.so.6"};
  spec.notes = {{"GNU", elf::kNoteGnuBuildId, "0123456789"}};
  spec.sections = {{".comment", "GCC"}, {".symtab", std::string(240, 's')}};
  const test::ElfImage image = test::build(spec);
  for (std::uint64_t seed = 1; seed <= 200; seed++) {
    const LiefAnswer answer = read_with_lief(test::mutate(image.bytes, seed));
    EXPECT_NE(answer.summary.has_value(), !answer.problem.empty()) << seed;
  }
}

}  // namespace
}  // namespace whittle::analyzer
