// SPDX-License-Identifier: MIT
//
// Levels: what each makes of a file, and which one is chosen for what.
#include "packer/level.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "packer/container/reader.h"
#include "packer/container/stubs.h"
#include "packer/format.h"
#include "packer/packer.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using packer::Choice;
using packer::Goal;
using packer::Level;
using packer::Refusal;

const Bytes& sample() {
  static const Bytes file = test::build(test::packable()).bytes;
  return file;
}

packer::PackedFile packed_at(Level level, Goal goal = Goal::disk) {
  packer::PackOptions options;
  options.level = level;
  options.goal = goal;
  auto decision = packer::pack(sample(), "sample", options);
  EXPECT_TRUE(decision.packed) << (decision.refusal ? decision.refusal->reason : "");
  return std::move(*decision.packed);
}

TEST(Level, EachIsNamedInTheFileAndGivesTheOriginalBack) {
  for (const auto& [level, name] : {std::pair(Level::fast, "fast"), {Level::small, "small"}}) {
    SCOPED_TRACE(name);
    const packer::PackedFile packed = packed_at(level);
    EXPECT_EQ(packed.level, name);
    EXPECT_EQ(packed.choice, "");
    EXPECT_EQ(packer::inspect(packed.bytes, "sample").level, name);
    EXPECT_EQ(packer::unpack(packed.bytes, "sample"), sample());
  }
}

TEST(Level, StubsHoldNoDecoderThatTheirFileDoesNotNeed) {
  for (const Level level : {Level::fast, Level::small}) {
    const Bytes file = packed_at(level).bytes;
    const auto view = packer::PackedView::read(file, "sample");
    const packer::Stub& stub = packer::smallest_stub(
        view.header().machine, packer::features_of(view.streams(), view.regions()));
    EXPECT_TRUE(std::equal(stub.code.begin(), stub.code.end(), view.stub().begin()));
    const packer::PackStream& first = view.streams().front();
    EXPECT_EQ(first.kind == packer::kStreamStub, !stub.late.empty());
    EXPECT_EQ(stub.late.empty(), level == Level::fast);
    if (stub.late.empty()) continue;
    EXPECT_EQ(first.raw_size, stub.late_size);
    EXPECT_TRUE(std::equal(stub.late.begin(), stub.late.end(), view.packed_bytes(0).begin(),
                           view.packed_bytes(0).end()));
  }
}

TEST(Level, TheAutomaticOneSaysWhy) {
  const packer::PackedFile packed = packed_at(Level::automatic);
  const std::size_t fast = packed_at(Level::fast).bytes.size();
  const std::size_t small = packed_at(Level::small).bytes.size();
  EXPECT_EQ(packed.bytes.size(), std::min(fast, small));
  EXPECT_EQ(packed.level, small < fast ? "small" : "fast");
  EXPECT_NE(packed.choice, "");
  EXPECT_EQ(packed_at(Level::automatic, Goal::start).level, "fast");
}

TEST(Level, DiskTakesTheSmaller) {
  const auto small = std::get<Choice>(packer::choose_level(sample(), 1000, 900, Goal::disk));
  EXPECT_EQ(small.level, packer::kLevelSmall);
  EXPECT_THAT(small.reason, testing::HasSubstr("100 bytes"));
  const auto fast = std::get<Choice>(packer::choose_level(sample(), 900, 1000, Goal::disk));
  EXPECT_EQ(fast.level, packer::kLevelFast);
}

TEST(Level, StartTakesTheQuicker) {
  const auto choice = std::get<Choice>(packer::choose_level(sample(), 1000, 900, Goal::start));
  EXPECT_EQ(choice.level, packer::kLevelFast);
  EXPECT_THAT(choice.reason, testing::HasSubstr("100 bytes smaller"));
}

TEST(Level, PullComparesWithTheCompressedLayerToo) {
  const Bytes zeros(100'000);  // nothing at all in a layer
  const auto refusal = packer::choose_level(zeros, 1000, 900, Goal::pull);
  ASSERT_TRUE(std::holds_alternative<Refusal>(refusal));
  EXPECT_EQ(std::get<Refusal>(refusal).code, "not-smaller-to-pull");
  const auto choice = std::get<Choice>(packer::choose_level(sample(), 100, 90, Goal::pull));
  EXPECT_EQ(choice.level, packer::kLevelSmall);
  EXPECT_THAT(choice.reason, testing::HasSubstr("unpacked"));
}

}  // namespace
}  // namespace whittle
