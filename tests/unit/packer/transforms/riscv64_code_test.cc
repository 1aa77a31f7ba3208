// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/riscv64_code.h"

#include <gtest/gtest.h>

#include "common/bytes.h"
#include "tests/unit/packer/subjects.h"
#include "tests/unit/packer/transforms/transform_properties.h"

namespace whittle {
namespace {

constexpr test::CodeTransform kRiscv64 = {stub::riscv64_to_absolute, stub::riscv64_to_relative,
                                          0x12000};

// The transform leaves the last 7 bytes alone, so a tail of compressed NOPs follows.
Bytes words(const std::vector<std::uint32_t>& all) {
  std::string code;
  for (const std::uint32_t word : all) test::append_word(code, word);
  for (int i = 0; i < 4; i++) code += std::string_view("\1\0", 2);
  return Bytes(code.begin(), code.end());
}

TEST(Riscv64Code, CallTargetBecomesAbsoluteInOrderOfSignificance) {
  // At 0x12004: jal ra, .+0x1002, whose target 0x13006 is half of 0x9803.
  const std::uint32_t nop = 0x00000013;
  EXPECT_EQ(kRiscv64.to_absolute(words({nop, 0x002010ef})), words({nop, 0x098030ef}));
  // Backwards past the start of the image: modulo 2 MiB.
  EXPECT_EQ(kRiscv64.to_absolute(words({0xfffff0ef}), 0), words({0xfffff0ef}));
  // Every single bit of the distance.
  const std::uint32_t bits[20] = {21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
                                  20, 12, 13, 14, 15, 16, 17, 18, 19, 31};
  for (std::uint32_t i = 0; i < 20; i++) {
    EXPECT_EQ(kRiscv64.to_absolute(words({0xef | std::uint32_t{1} << bits[i]}), 0),
              words({0xef | std::uint32_t{1} << (12 + i)}))
        << "bit " << i + 1;
  }
}

struct PairCase {
  const char* name;
  std::uint32_t high, low;                    // the instructions
  std::uint32_t absolute_high, absolute_low;  // at 0x12000
};

TEST(Riscv64Code, PairsBecomeAbsoluteAsOneNumber) {
  const PairCase cases[] = {
      {"call: auipc ra, 2; jalr ra, 0x34", 0x00002097, 0x034080e7, 0x00014097, 0x034080e7},
      {"auipc a5, 3; addi a0, a5, -16: 0x14ff0", 0x00003797, 0xff078513, 0x00014797, 0xff078513},
      {"auipc a5, 0; ld a0, 8(a5)", 0x00000797, 0x0087b503, 0x00012797, 0x0087b503},
      {"auipc a5, 0; fld fa0, 8(a5)", 0x00000797, 0x0087b507, 0x00012797, 0x0087b507},
      {"auipc a5, 1; sd a0, -1(a5): 0x12fff", 0x00001797, 0xfea7bfa3, 0x00012797, 0xfea7bfa3},
      {"auipc a5, 1; fsd fa0, -8(a5): 0x12ff8", 0x00001797, 0xfea7bc27, 0x00012797, 0xfea7bc27},
  };
  for (const PairCase& c : cases) {
    EXPECT_EQ(kRiscv64.to_absolute(words({c.high, c.low})),
              words({c.absolute_high, c.absolute_low}))
        << c.name;
  }
  // The address counts below the 12 bits too: at 0x12002.
  EXPECT_EQ(kRiscv64.to_absolute(words({0x00000797, 0x7ff78513}), 0x12002),
            words({0x00012797, 0x80178513}));
}

TEST(Riscv64Code, TwoUsesOfOneAddressLookAlike) {
  // auipc a5; addi a0, a5 of 0x23900, from 0x12000 and from 0x12ffe.
  const auto pair = [](std::uint32_t distance) {
    return words({0x797 | ((distance + 0x800) & 0xfffff000), 0x78513 | distance << 20});
  };
  EXPECT_EQ(kRiscv64.to_absolute(pair(0x23900 - 0x12000), 0x12000),
            kRiscv64.to_absolute(pair(0x23900 - 0x12ffe), 0x12ffe));
}

TEST(Riscv64Code, OthersStay) {
  const Bytes code = words({
      0x0100006f,  // j
      0x010002ef,  // jal t0
      0x00b50463,  // beq
      0x00002797,
      0x00050513,  // auipc a5; addi a0, a0
      0x00002797,
      0x0087f513,  // auipc a5; andi a0, a5
      0x00002797,
      0x00a787b3,  // auipc a5; add a5, a5, a0
      0x00002797,
      0x00002717,  // auipc a5; auipc a4
      0x00000013,
  });
  EXPECT_EQ(kRiscv64.to_absolute(code), code);
}

TEST(Riscv64Code, InstructionsOfTwoBytesAreSteppedOver) {
  // c.nop, then a call at 0x12002; and c.addi4spn whose bytes go on like a call's.
  EXPECT_EQ(kRiscv64.to_absolute(
                {0x01, 0x00, 0xef, 0x00, 0x20, 0x00, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00}),
            (Bytes{0x01, 0x00, 0xef, 0x20, 0x00, 0x09, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00}));
  const Bytes short_ones = {0x00, 0xef, 0x00, 0xef, 0x00, 0xef, 0x00, 0xef, 0x00, 0xef};
  EXPECT_EQ(kRiscv64.to_absolute(short_ones), short_ones);
}

TEST(Riscv64Code, InverseIsExactForArbitraryBytes) {
  test::expect_exact_for_arbitrary_bytes(kRiscv64);
}

// Instructions of few registers, so that pairs come about by chance.
TEST(Riscv64Code, InverseIsExactForBytesThatLookLikeCode) {
  test::expect_exact_for(kRiscv64, [](std::mt19937_64& random) {
    constexpr std::uint32_t kOpcodes[] = {0x0ef, 0x097, 0x797, 0x003, 0x007, 0x067,
                                          0x013, 0x023, 0x027, 0x06f, 0x017};
    Bytes code;
    for (std::uint64_t left = random() % 200; left != 0; left--) {
      std::uint32_t word = kOpcodes[random() % std::size(kOpcodes)];
      word |= static_cast<std::uint32_t>(random()) & 0xfff07000;
      word |= random() % 2 == 0 ? 0x78000 : 0x8000;
      const std::size_t size = random() % 4 == 0 ? 2 : 4;
      if (size == 2) word &= ~std::uint32_t{3};
      for (std::size_t b = 0; b < size; b++) {
        code.push_back(static_cast<std::uint8_t>(word >> (8 * b)));
      }
    }
    return code;
  });
}

TEST(Riscv64Code, InverseIsExactForCode) {
  const std::string code = test::some_riscv64_code(50000);
  const Bytes bytes(code.begin(), code.end());
  EXPECT_NE(kRiscv64.to_absolute(bytes), bytes);
  test::expect_exact(kRiscv64, bytes, kRiscv64.address);
}

}  // namespace
}  // namespace whittle
