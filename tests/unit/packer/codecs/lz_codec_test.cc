// SPDX-License-Identifier: MIT
//
// The codec of folded stubs: what goes in comes out, and it is as short as the format allows.
#include <gtest/gtest.h>

#include <random>

#include "common/bytes.h"
#include "packer/codecs/lz_encoder.h"
#include "packer/stub/codecs/lz_decoder.h"

namespace whittle {
namespace {

Bytes decoded(ByteView packed, ByteView known, std::size_t size, std::uint32_t unit = 1) {
  Bytes raw(known.begin(), known.end());
  raw.resize(size);
  stub::lz_decode(packed.data(), raw.data() + known.size(), raw.data() + raw.size(), unit);
  return raw;
}

void expect_exact(const Bytes& raw, std::size_t known) {
  for (const std::uint32_t unit : {1U, 2U, 4U}) {
    const Bytes packed = packer::lz_encode(raw, known, unit);
    EXPECT_EQ(decoded(packed, ByteView(raw).first(known), raw.size(), unit), raw) << unit;
  }
}

TEST(LzCodec, GivesBackArbitraryBytes) {
  std::mt19937_64 random(20261124);
  for (int i = 0; i < 2000 && !testing::Test::HasFailure(); i++) {
    SCOPED_TRACE(i);
    Bytes raw(random() % 600);
    const std::uint64_t values = 1 + random() % 256;  // few: matches; many: literals
    for (std::uint8_t& byte : raw) byte = static_cast<std::uint8_t>(random() % values);
    expect_exact(raw, raw.empty() ? 0 : random() % (raw.size() + 1));
  }
}

TEST(LzCodec, GivesBackWhatIsLong) {
  std::mt19937_64 random(1);
  Bytes noise(5000);  // more than one run of literals
  for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random());
  expect_exact(noise, 0);
  Bytes twice = noise;  // a match of distance 5,000
  twice.insert(twice.end(), noise.begin(), noise.end());
  EXPECT_LT(packer::lz_encode(twice, noise.size(), 4).size(), 10U);
  expect_exact(twice, noise.size());
  expect_exact(Bytes(3000, 7), 0);
}

// The bits of the description in lz_decoder.h, by hand.
TEST(LzCodec, WritesWhatIsDescribed) {
  // Literals "ab" (0, number 2 = 1 0 0), distance 2 is no last one: match (1) of distance 2 (number
  // 1 = 0, byte 1) and length 4 (number 3 = 1 1 0). Bits 0100 1011 | 0.......
  const Bytes expected = {0b01001011, 'a', 'b', 0x01, 0b00000000};
  EXPECT_EQ(packer::lz_encode(as_bytes("ababab"), 0, 1), Bytes({0b01001011, 'a', 'b', 1, 0}));
  EXPECT_EQ(decoded(expected, {}, 6), Bytes({'a', 'b', 'a', 'b', 'a', 'b'}));
  // In units of two bytes the distance is one: what the last match is taken to have had (0, the
  // number 4 = 1 0 1 0 0). Bits 0100 0101 | 00......
  EXPECT_EQ(packer::lz_encode(as_bytes("ababab"), 0, 2), Bytes({0b01000101, 'a', 'b', 0}));
  // The distance of the last match again behind a literal: "x", then 0 and the length.
  const Bytes known = {1, 2, 3, 4, 5, 6, 7, 8};
  Bytes raw = known;
  for (const int byte : {1, 2, 3, 99, 5, 6, 7, 8}) raw.push_back(static_cast<std::uint8_t>(byte));
  // 1 0 [7] 1 0 0; 0 0 [99]; 0, number 4 = 1 0 1 0 0.
  EXPECT_EQ(packer::lz_encode(raw, known.size(), 1), Bytes({0b10100000, 7, 99, 0b10100000}));
}

TEST(LzCodec, OfNothingIsNothing) {
  EXPECT_TRUE(packer::lz_encode({}, 0, 1).empty());
  EXPECT_TRUE(packer::lz_encode(as_bytes("known"), 5, 4).empty());
}

}  // namespace
}  // namespace whittle
