// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/aarch64_code.h"

#include <gtest/gtest.h>

#include "common/bytes.h"
#include "tests/unit/packer/subjects.h"
#include "tests/unit/packer/transforms/transform_properties.h"

namespace whittle {
namespace {

constexpr test::CodeTransform kAarch64 = {stub::aarch64_to_absolute, stub::aarch64_to_relative,
                                          0x12000};

Bytes words(const std::vector<std::uint32_t>& all) {
  Bytes code;
  for (const std::uint32_t word : all) {
    for (int i = 0; i < 4; i++) code.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
  }
  return code;
}

TEST(Aarch64Code, CallTargetBecomesAbsoluteBigEndian) {
  // At 0x12004: bl .+0x40, whose target is word 0x12044 / 4 = 0x4811.
  EXPECT_EQ(kAarch64.to_absolute(words({0xd503201f, 0x94000010})),
            (Bytes{0xd5, 0x03, 0x20, 0x1f, 0x94, 0x00, 0x48, 0x11}));
  // Backwards past the start of the image: modulo 2^26.
  EXPECT_EQ(kAarch64.to_absolute(words({0x97ffffff}), 0), (Bytes{0x97, 0xff, 0xff, 0xff}));
}

TEST(Aarch64Code, PageBecomesAbsoluteWithItsHighestBitsInTheOpcode) {
  // adrp x27, the page 5 behind 0x12: 0x17.
  const std::uint32_t adrp = 0x9000001b | (5 & 3) << 29 | (5 >> 2) << 5;
  EXPECT_EQ(kAarch64.to_absolute(words({adrp})), (Bytes{0x90, 0x00, 0x02, 0xfb}));
  // The page in front of the image, -1 modulo 2^21.
  EXPECT_EQ(kAarch64.to_absolute(words({0xf0ffffe0}), 0), (Bytes{0xf0, 0xff, 0xff, 0xe0}));
}

TEST(Aarch64Code, TwoUsesOfOneAddressLookAlike) {
  // adrp x0, 0x40000; bl 0x13000: each from two pages.
  const auto adrp = [](std::uint32_t pages) {
    return 0x90000000 | (pages & 3) << 29 | pages >> 2 << 5;
  };
  Bytes code = words({adrp(0x40 - 0x12), 0x94000000 | (0x13000 - 0x12004) / 4});
  code.resize(0x2000);
  const Bytes second =
      words({adrp(0x40 - 0x14), 0x94000000 | ((0x13000 - 0x14004) / 4 & 0x3ffffff)});
  code.insert(code.end(), second.begin(), second.end());
  const Bytes absolute = kAarch64.to_absolute(code);
  EXPECT_TRUE(std::equal(absolute.begin(), absolute.begin() + 8, absolute.begin() + 0x2000));
}

TEST(Aarch64Code, OthersAreTurnedRoundAndNoMore) {
  const std::vector<std::uint32_t> others = {
      0x14000010,  // b
      0x54000040,  // b.eq
      0x34000040,  // cbz
      0x36000040,  // tbz
      0x10000040,  // adr
      0x58000040,  // ldr, literal
      0xd63f0000,  // blr
  };
  const Bytes absolute = kAarch64.to_absolute(words(others));
  for (std::size_t i = 0; i < others.size(); i++) {
    for (std::size_t k = 0; k < 4; k++) {
      EXPECT_EQ(absolute[4 * i + k], static_cast<std::uint8_t>(others[i] >> (24 - 8 * k))) << i;
    }
  }
}

TEST(Aarch64Code, BytesBehindTheLastWordStay) {
  EXPECT_EQ(kAarch64.to_absolute({1, 2, 3}), (Bytes{1, 2, 3}));
  EXPECT_EQ(kAarch64.to_absolute({1, 2, 3, 4, 5, 6, 7}), (Bytes{4, 3, 2, 1, 5, 6, 7}));
}

TEST(Aarch64Code, InverseIsExactForArbitraryBytes) {
  test::expect_exact_for_arbitrary_bytes(kAarch64);
}

TEST(Aarch64Code, InverseIsExactForBytesThatLookLikeCode) {
  test::expect_exact_for(kAarch64, [](std::mt19937_64& random) {
    constexpr std::uint32_t kOpcodes[] = {0x94000000, 0x97000000, 0x90000000, 0xb0000000,
                                          0xf0000000, 0x14000000, 0x91000000};
    std::vector<std::uint32_t> code(random() % 200);
    for (std::uint32_t& word : code) {
      word = kOpcodes[random() % std::size(kOpcodes)] | (random() & 0xffffff);
    }
    return words(code);
  });
}

TEST(Aarch64Code, InverseIsExactForCode) {
  const std::string code = test::some_aarch64_code(50000);
  const Bytes bytes(code.begin(), code.end());
  EXPECT_NE(kAarch64.to_absolute(bytes), bytes);
  test::expect_exact(kAarch64, bytes, kAarch64.address);
}

}  // namespace
}  // namespace whittle
