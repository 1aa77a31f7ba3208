// SPDX-License-Identifier: MIT
//
// The order of streams: which of them are decoded while tables are put together from their parts,
// and which wait. The bytes are zeros, nothing here looks at them.
#include "packer/encode.h"

#include <gtest/gtest.h>

namespace whittle::packer {
namespace {

constexpr std::uint16_t kX86_64 = 62;

StreamGroup image(std::size_t size, std::uint32_t kind = kStreamImage) {
  StreamGroup group;
  group.streams.push_back({.kind = kind, .address = size, .bytes = Bytes(size)});
  return group;
}

// A region of `size` from two parts of half as much.
StreamGroup table(std::size_t size) {
  StreamGroup group;
  for (int i = 0; i < 2; i++) {
    group.streams.push_back({.kind = kStreamPart, .address = 0, .bytes = Bytes(size / 2)});
  }
  group.regions.push_back({.address = 1 << 20,
                           .size = size,
                           .transform = kTransformGoTable,
                           .first_part = 0,
                           .part_count = 2});
  return group;
}

Encoded encode_fast(std::vector<StreamGroup> groups) {
  return encode(std::move(groups), kLevelFast, kX86_64, nullptr);
}

TEST(Encode, NothingIsHeldWhereThereAreNoParts) {
  const Encoded encoded = encode_fast({image(1000), image(5000)});
  EXPECT_EQ(encoded.first_held, 2);
  EXPECT_EQ(encoded.streams[0].raw_size, 5000u) << "the longest is the first";
}

// 7,600 bytes will be filled, so there may be 9,025 at once. The table and its parts take 3,200:
// the stream of 4,000 fits beside them, that of 2,000 no more.
TEST(Encode, WhatHasNoRoomBesideTheTablesIsHeld) {
  const Encoded encoded = encode_fast({image(2000), table(1600), image(4000)});
  ASSERT_EQ(encoded.streams.size(), 4u);
  EXPECT_EQ(encoded.first_held, 3);
  EXPECT_EQ(encoded.streams[3].raw_size, 2000u);
  const PackRegion& region = encoded.regions.at(0);
  EXPECT_LE(region.first_part + region.part_count, encoded.first_held);
  EXPECT_EQ(encoded.streams[region.first_part].kind, kStreamPart);
}

// With 2,000 more to work in, only the smaller one fits.
TEST(Encode, MemoryToWorkInCounts) {
  StreamGroup hungry = table(1600);
  hungry.work = 2000;
  const Encoded encoded = encode_fast({image(2000), hungry, image(4000)});
  ASSERT_EQ(encoded.streams.size(), 4u);
  EXPECT_EQ(encoded.first_held, 3);
  EXPECT_EQ(encoded.streams[3].raw_size, 4000u);
}

// There is room for them all, but level small takes a fifth of 11,600 at the most.
TEST(Encode, OnlySmallStreamsGoBesideTablesAtLevelSmall) {
  const auto at = [](std::uint32_t level) {
    return encode({image(3000), table(1600), image(2000), image(5000)}, level, kX86_64, nullptr);
  };
  EXPECT_EQ(at(kLevelFast).first_held, 5);
  const Encoded small = at(kLevelSmall);
  ASSERT_EQ(small.streams.size(), 5u);
  EXPECT_EQ(small.first_held, 3);
  EXPECT_EQ(encode({image(1), image(2)}, kLevelSmall, kX86_64, nullptr).first_held, 2);
}

TEST(Encode, TheRestIsBehindAllElse) {
  const Encoded encoded = encode_fast({image(50, kStreamRest), image(10), image(20)});
  ASSERT_EQ(encoded.streams.size(), 3u);
  EXPECT_EQ(encoded.streams.back().kind, kStreamRest);
  EXPECT_EQ(encoded.first_held, 2);
}

TEST(Encode, PartsFollowOneAnotherInTheScratchMemory) {
  const Encoded encoded = encode_fast({table(90), table(3200)});
  std::uint64_t end = 0;
  for (const PackStream& stream : encoded.streams) {
    EXPECT_EQ(stream.address % kPartAlignment, 0u);
    EXPECT_GE(stream.address, end);
    end = stream.address + stream.raw_size;
  }
}

}  // namespace
}  // namespace whittle::packer
