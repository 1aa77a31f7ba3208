// SPDX-License-Identifier: MIT
//
// The order of streams: which of them are decoded while tables are put together from their parts,
// and which wait, for which the bytes are zeros; and their codecs.
#include "packer/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "packer/container/stubs.h"
#include "tests/unit/packer/subjects.h"

namespace whittle::packer {
namespace {

constexpr std::uint16_t kX86_64 = 62;

StreamGroup image(std::uint64_t address, std::size_t size, std::uint32_t kind = kStreamImage) {
  StreamGroup group;
  group.streams.push_back({.kind = kind, .address = address, .bytes = Bytes(size)});
  return group;
}

// A region of `size` from two parts of half as much.
StreamGroup table(std::uint64_t address, std::size_t size,
                  std::uint32_t transform = kTransformGoTable) {
  StreamGroup group;
  for (int i = 0; i < 2; i++) {
    group.streams.push_back({.kind = kStreamPart, .address = 0, .bytes = Bytes(size / 2)});
  }
  group.regions.push_back(
      {.address = address, .size = size, .transform = transform, .first_part = 0, .part_count = 2});
  return group;
}

Encoded encode_fast(std::vector<StreamGroup> groups) {
  return encode(std::move(groups), kLevelFast, kX86_64, nullptr);
}

std::vector<std::uint64_t> held(const Encoded& encoded) {
  std::vector<std::uint64_t> addresses;
  for (std::size_t i = encoded.first_held; i < encoded.streams.size(); i++) {
    addresses.push_back(encoded.streams[i].address);
  }
  return addresses;
}

TEST(Encode, NothingIsHeldWhereThereAreNoParts) {
  const Encoded encoded = encode_fast({image(0, 1000), image(9000, 5000)});
  EXPECT_EQ(encoded.first_held, 2);
  EXPECT_EQ(encoded.streams[0].raw_size, 5000u) << "the longest is the first";
}

// 7.6 million bytes will be filled, and there shall not be more in memory before. The table
// takes 1.6 million, one to work in and the reserve: the stream of 3.5 million fits beside it, that
// of 2.5 does not.
TEST(Encode, WhatHasNoRoomBesideTheTablesIsHeld) {
  StreamGroup composed = table(0, 1'600'000);
  composed.work = 1'000'000;
  const Encoded encoded =
      encode_fast({image(5'000'000, 2'500'000), composed, image(9'000'000, 3'500'000)});
  ASSERT_EQ(encoded.streams.size(), 4u);
  EXPECT_EQ(held(encoded), std::vector<std::uint64_t>{5'000'000});
  const PackRegion& region = encoded.regions.at(0);
  EXPECT_LE(region.first_part + region.part_count, encoded.first_held);
  EXPECT_EQ(encoded.streams[region.first_part].kind, kStreamPart);
}

// With a million more only the smaller one fits.
TEST(Encode, MemoryToWorkInCounts) {
  StreamGroup hungry = table(0, 1'600'000);
  hungry.work = 2'000'000;
  const Encoded encoded =
      encode_fast({image(5'000'000, 2'500'000), hungry, image(9'000'000, 3'500'000)});
  EXPECT_EQ(held(encoded), std::vector<std::uint64_t>{9'000'000});
}

// Parts are given back while their region grows; what they are more than it counts.
TEST(Encode, LongPartsCount) {
  StreamGroup composed = table(0, 1'600'000);
  composed.streams[0].bytes.resize(2'800'000);
  const Encoded encoded =
      encode_fast({image(5'000'000, 2'500'000), composed, image(9'000'000, 3'500'000)});
  EXPECT_EQ(held(encoded), std::vector<std::uint64_t>{9'000'000});
}

// There is room for a million more, but level small takes a fifth of 3.7 million at the most.
TEST(Encode, OnlySmallStreamsGoBesideTablesAtLevelSmall) {
  const auto held_at = [](std::uint32_t level) {
    return held(
        encode({image(2'000'000, 1'200'000), table(0, 1'600'000), image(9'000'000, 900'000)}, level,
               kX86_64, nullptr));
  };
  EXPECT_EQ(held_at(kLevelFast), std::vector<std::uint64_t>{9'000'000});
  EXPECT_EQ(held_at(kLevelSmall), (std::vector<std::uint64_t>{2'000'000, 9'000'000}));
}

// The codecs of what the stub decodes for noise of so many bytes, which codec quick packs smaller,
// and for `others`; and the features of that stub.
struct Codecs {
  std::set<std::uint32_t> codecs;
  std::uint32_t features;
};
Codecs codecs_at_small(std::size_t size, std::vector<StreamGroup> others) {
  others.push_back(image(0, size));
  others.back().streams[0].bytes = test::noise(size, 15);
  const Encoded encoded = encode(std::move(others), kLevelSmall, kX86_64, nullptr);
  Codecs result{.codecs = {}, .features = encoded.stub.features};
  for (const PackStream& stream : encoded.streams) result.codecs.insert(stream.codec);
  return result;
}

TEST(Encode, ASecondCodecHasToSaveMoreThanItsDecoderTakes) {
  EXPECT_THAT(codecs_at_small(20'000, {}).codecs, testing::ElementsAre(kCodecMix));
  const Codecs large = codecs_at_small(200'000, {});
  EXPECT_THAT(large.codecs, testing::ElementsAre(kCodecMix, kCodecQuick)) << "mix: late code";
  EXPECT_EQ(large.features, kStubMix | kStubQuick);
}

// No stub has the second codec and all tables.
TEST(Encode, ProgramsWithAllKindsOfTablesHaveOneCodec) {
  const StreamGroup go = table(1 << 20, 160), data = table(2 << 20, 160, kTransformEhFrame);
  EXPECT_EQ(codecs_at_small(200'000, {go}).features, kStubMix | kStubQuick | kStubGo);
  EXPECT_EQ(codecs_at_small(200'000, {data}).features, kStubMix | kStubQuick | kStubData);
  const Codecs both = codecs_at_small(200'000, {go, data});
  EXPECT_EQ(both.features, kStubMix | kStubGo | kStubData);
  EXPECT_THAT(both.codecs, testing::ElementsAre(kCodecMix));
}

TEST(Encode, TheRestIsBehindAllElse) {
  const Encoded encoded = encode_fast({image(0, 50, kStreamRest), image(9, 10), image(99, 20)});
  ASSERT_EQ(encoded.streams.size(), 3u);
  EXPECT_EQ(encoded.streams.back().kind, kStreamRest);
  EXPECT_EQ(encoded.first_held, 2);
}

TEST(Encode, PartsFollowOneAnotherInTheScratchMemory) {
  const Encoded encoded = encode_fast({table(0, 90), table(96, 3200)});
  std::uint64_t end = 0;
  for (const PackStream& stream : encoded.streams) {
    EXPECT_EQ(stream.address % kPartAlignment, 0u);
    EXPECT_GE(stream.address, end);
    end = stream.address + stream.raw_size;
  }
}

}  // namespace
}  // namespace whittle::packer
