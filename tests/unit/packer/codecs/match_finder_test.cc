// SPDX-License-Identifier: MIT
//
// What the match finder finds, against comparing with every position before.
#include "packer/codecs/match_finder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace whittle {
namespace {

using packer::kNiceLength;
using packer::Match;
using packer::MatchFinder;

Bytes letters(std::size_t size, unsigned count) {
  std::mt19937 random(1);
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % count);
  return bytes;
}

std::uint32_t shared(ByteView bytes, std::size_t at, std::size_t distance) {
  std::uint32_t length = 0;
  while (length < kNiceLength && at + length < bytes.size() &&
         bytes[at + length] == bytes[at + length - distance]) {
    length++;
  }
  return length;
}

void expect_nearest_of_each_length(ByteView bytes) {
  MatchFinder finder(bytes);
  std::vector<Match> found;
  for (std::size_t at = 0; at < bytes.size(); at++) {
    finder.next(found);
    if (bytes.size() - at < 4) {
      EXPECT_TRUE(found.empty()) << at;
      continue;
    }
    std::vector<Match> expected;
    std::uint32_t best = 1;
    for (std::uint32_t distance = 1; distance <= at; distance++) {
      const std::uint32_t length = shared(bytes, at, distance);
      if (length > best) expected.push_back({best = length, distance});
    }
    ASSERT_EQ(found.size(), expected.size()) << at;
    for (std::size_t i = 0; i < found.size(); i++) {
      EXPECT_EQ(found[i].length, expected[i].length) << at;
      EXPECT_EQ(found[i].distance, expected[i].distance) << at;
    }
  }
}

TEST(MatchFinder, FindsTheNearestOfEachLength) {
  expect_nearest_of_each_length(letters(3000, 8));
  expect_nearest_of_each_length(letters(3000, 100));
}

TEST(MatchFinder, StopsComparingAtTheNiceLength) {
  const Bytes bytes(1000, 7);
  MatchFinder finder(bytes);
  std::vector<Match> found;
  for (std::size_t at = 0; at <= 500; at++) finder.next(found);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back().length, kNiceLength);
  EXPECT_EQ(found.back().distance, 1U);
}

TEST(MatchFinder, TakesContentOfEverySmallSize) {
  for (std::size_t size = 0; size < 10; size++) expect_nearest_of_each_length(Bytes(size, 1));
}

}  // namespace
}  // namespace whittle
