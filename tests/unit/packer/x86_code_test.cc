// SPDX-License-Identifier: MIT
#include "packer/stub/x86_code.h"

#include <gtest/gtest.h>

#include <random>

#include "common/bytes.h"
#include "common/file.h"

namespace whittle {
namespace {

constexpr std::uint64_t kAddress = 0x1000;

Bytes to_absolute(Bytes code, std::uint64_t address = kAddress) {
  stub::x86_to_absolute(code.data(), code.size(), address);
  return code;
}
Bytes to_relative(Bytes code, std::uint64_t address = kAddress) {
  static stub::X86Workspace workspace;
  stub::x86_to_relative(code.data(), code.size(), address, workspace);
  return code;
}

// The transform leaves the last 31 bytes alone, so a tail of NOPs follows.
Bytes with_tail(Bytes code) {
  code.resize(code.size() + 32, 0x90);
  return code;
}

TEST(X86Code, CallTargetBecomesAbsoluteBigEndian) {
  const Bytes code = with_tail({0xe8, 0x10, 0, 0, 0});  // at 0x1000: call 0x1015
  const Bytes absolute = to_absolute(code);
  EXPECT_EQ(absolute[0], 0xe8);
  EXPECT_EQ(Bytes(absolute.begin() + 1, absolute.begin() + 5), (Bytes{0, 0, 0x10, 0x15}));
}

TEST(X86Code, TwoCallsOfOneFunctionLookAlike) {
  Bytes code = {0xe8, 0x10, 0, 0, 0, 0x90, 0xe8, 0x0a, 0, 0, 0};
  const Bytes absolute = to_absolute(with_tail(code));
  EXPECT_TRUE(std::equal(absolute.begin(), absolute.begin() + 5, absolute.begin() + 6));
}

struct RipCase {
  const char* name;
  Bytes code;
  std::size_t operand;  // offset of the displacement
  std::size_t length;   // of the instruction
};

TEST(X86Code, RipRelativeOperandsAreFoundBehindEveryKindOfPrefixAndOpcode) {
  const RipCase cases[] = {
      {"lea rax", {0x48, 0x8d, 0x05, 1, 2, 3, 0}, 3, 7},
      {"mov [rip], imm32", {0xc7, 0x05, 1, 2, 3, 0, 9, 9, 9, 9}, 2, 10},
      {"mov word [rip], imm16", {0x66, 0xc7, 0x05, 1, 2, 3, 0, 9, 9}, 3, 9},
      {"cmp byte [rip], imm8", {0x80, 0x3d, 1, 2, 3, 0, 9}, 2, 7},
      {"test byte [rip], imm8", {0xf6, 0x05, 1, 2, 3, 0, 9}, 2, 7},
      {"not dword [rip]", {0xf7, 0x15, 1, 2, 3, 0}, 2, 6},
      {"call [rip]", {0xff, 0x15, 1, 2, 3, 0}, 2, 6},
      {"movups xmm0, [rip]", {0x0f, 0x10, 0x05, 1, 2, 3, 0}, 3, 7},
      {"pshufd imm8", {0x66, 0x0f, 0x70, 0x05, 1, 2, 3, 0, 9}, 4, 9},
      {"pshufb (0f 38)", {0x66, 0x0f, 0x38, 0x00, 0x05, 1, 2, 3, 0}, 5, 9},
      {"palignr (0f 3a)", {0x66, 0x0f, 0x3a, 0x0f, 0x05, 1, 2, 3, 0, 9}, 5, 10},
      {"vmovups (VEX2)", {0xc5, 0xf8, 0x10, 0x05, 1, 2, 3, 0}, 4, 8},
      {"vpshufb (VEX3)", {0xc4, 0xe2, 0x71, 0x00, 0x05, 1, 2, 3, 0}, 5, 9},
      {"vpalignr (VEX3)", {0xc4, 0xe3, 0x71, 0x0f, 0x05, 1, 2, 3, 0, 9}, 5, 10},
      {"vmovups (EVEX)", {0x62, 0xf1, 0x7c, 0x48, 0x10, 0x05, 1, 2, 3, 0}, 6, 10},
  };
  for (const RipCase& c : cases) {
    SCOPED_TRACE(c.name);
    ASSERT_EQ(c.code.size(), c.length);
    const Bytes absolute = to_absolute(with_tail(c.code));
    const std::uint32_t target = 0x00030201 + kAddress + static_cast<std::uint32_t>(c.length);
    for (std::size_t i = 0; i < c.length; i++) {
      const bool in_operand = i >= c.operand && i < c.operand + 4;
      const auto expected =
          in_operand ? static_cast<std::uint8_t>(target >> (8 * (3 - (i - c.operand)))) : c.code[i];
      EXPECT_EQ(absolute[i], expected) << "byte " << i;
    }
  }
}

TEST(X86Code, ConditionalJumpsAndImmediatesStay) {
  const Bytes code = with_tail({0x0f, 0x84, 1,    2,    3,    0,                 // je rel32
                                0x48, 0xb8, 0xe8, 1,    0,    0, 0, 0xe8, 0, 0,  // mov rax, imm64
                                0xb8, 0xe8, 0xe8, 0xe8, 0xe8,                    // mov eax, imm32
                                0x48, 0x8b, 0x84, 0x24, 0xe8, 0, 0, 0});  // mov rax,[rsp+232]
  EXPECT_EQ(to_absolute(code), code);
}

TEST(X86Code, InverseIsExactForArbitraryBytes) {
  std::mt19937_64 random(20260501);
  for (int i = 0; i < 3000; i++) {
    Bytes code(random() % 3000);
    for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random());
    const std::uint64_t address = random();
    EXPECT_EQ(to_relative(to_absolute(code, address), address), code) << "case " << i;
    EXPECT_EQ(to_absolute(to_relative(code, address), address), code) << "case " << i;
  }
}

// Bytes made of what steers the walk: prefixes, escapes, ModRM bytes that ask for displacements.
TEST(X86Code, InverseIsExactForBytesThatLookLikeCode) {
  constexpr std::uint8_t kDense[] = {0x66, 0x67, 0x48, 0x4c, 0x0f, 0x38, 0x3a, 0x05,
                                     0x0d, 0x25, 0xe8, 0xe9, 0xc4, 0xc5, 0x62, 0xf6,
                                     0xf7, 0xff, 0x8b, 0x8d, 0xb8, 0xa1, 0xc8, 0x84};
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; i++) {
    Bytes code(random() % 500);
    for (std::uint8_t& byte : code) byte = kDense[random() % sizeof kDense];
    EXPECT_EQ(to_relative(to_absolute(code)), code) << "case " << i;
  }
}

TEST(X86Code, InverseIsExactForOurOwnCode) {
  const Bytes self = read_file("/proc/self/exe").bytes;
  const Bytes absolute = to_absolute(self);
  EXPECT_NE(absolute, self);
  EXPECT_EQ(to_relative(absolute), self);
}

}  // namespace
}  // namespace whittle
