// SPDX-License-Identifier: MIT
#include "packer/stub/transforms/x86_code.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <random>

#include "common/bytes.h"
#include "common/file.h"
#include "tests/unit/packer/transforms/x86_transform.h"

namespace whittle {
namespace {

using test::kX86;

// The walk does not look at the last 16 bytes, so a tail of NOPs follows.
Bytes with_tail(Bytes code) {
  code.resize(code.size() + 32, 0x90);
  return code;
}

TEST(X86Code, CallTargetBecomesAbsoluteBigEndian) {
  const Bytes code = with_tail({0xe8, 0x10, 0, 0, 0});  // at 0x1000: call 0x1015
  const Bytes absolute = kX86.to_absolute(code);
  EXPECT_EQ(absolute[0], 0xe8);
  EXPECT_EQ(Bytes(absolute.begin() + 1, absolute.begin() + 5), (Bytes{0, 0, 0x10, 0x15}));
}

TEST(X86Code, TwoCallsOfOneFunctionLookAlike) {
  Bytes code = {0xe8, 0x10, 0, 0, 0, 0x90, 0xe8, 0x0a, 0, 0, 0};
  const Bytes absolute = kX86.to_absolute(with_tail(code));
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
    const Bytes absolute = kX86.to_absolute(with_tail(c.code));
    const auto target = static_cast<std::uint32_t>(0x00030201 + kX86.address + c.length);
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
  EXPECT_EQ(kX86.to_absolute(code), code);
}

TEST(X86Code, InverseIsExactForArbitraryBytes) { test::expect_exact_for_arbitrary_bytes(kX86); }

// Bytes made of what steers the walk: prefixes, escapes, ModRM bytes that ask for displacements.
TEST(X86Code, InverseIsExactForBytesThatLookLikeCode) {
  test::expect_exact_for(kX86, [](std::mt19937_64& random) {
    constexpr std::uint8_t kDense[] = {0x66, 0x67, 0x48, 0x4c, 0x0f, 0x38, 0x3a, 0x05,
                                       0x0d, 0x25, 0xe8, 0xe9, 0xc4, 0xc5, 0x62, 0xf6,
                                       0xf7, 0xff, 0x8b, 0x8d, 0xb8, 0xa1, 0xc8, 0x84};
    Bytes code(random() % 500);
    for (std::uint8_t& byte : code) byte = kDense[random() % sizeof kDense];
    return code;
  });
}

// Every first and second byte of an instruction, with third bytes of every mod and rm.
TEST(X86Code, InverseIsExactForEveryPairOfBytes) {
  std::mt19937_64 random(11);
  for (int third = 0; third < 256; third += 17) {
    Bytes code;
    code.reserve(std::size_t{24} << 16);
    for (std::uint32_t pair = 0; pair < 65536; pair++) {
      code.insert(code.end(),
                  {static_cast<std::uint8_t>(pair), static_cast<std::uint8_t>(pair >> 8),
                   static_cast<std::uint8_t>(third)});
      for (int i = 0; i < 5; i++) code.push_back(static_cast<std::uint8_t>(random()));
      code.resize(code.size() + 16, 0x90);  // the walk is in step again
    }
    ASSERT_EQ(kX86.to_relative(kX86.to_absolute(code)), code) << "third byte " << third;
  }
}

// Sweeps that begin at different bytes of 5-byte instructions never meet, and the bytes of a piece
// are no multiple of 5: what a walk in one go would do, pieces do not.
TEST(X86Code, InverseIsExactWhereSweepsNeverMeet) {
  for (const std::uint8_t opcode : Bytes{0xe8, 0xb8, 0xa1}) {
    Bytes code(400'000, opcode);
    EXPECT_EQ(kX86.to_relative(kX86.to_absolute(code)), code);
    for (std::size_t at = 100'000; at < code.size(); at += 50'000) code[at] = 0x90;  // and slip
    EXPECT_EQ(kX86.to_relative(kX86.to_absolute(code)), code);
  }
}

// Real code with some bytes replaced: what lies between code and noise. Sizes around a piece, four
// pieces, and what is too little for pieces.
TEST(X86Code, InverseIsExactForDamagedCodeOfAnySize) {
  const Bytes self = read_file("/proc/self/exe").bytes;
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; i++) {
    const std::size_t limit = i % 3 == 0 ? 2500 : i % 3 == 1 ? 70'000 : 400'000;
    const std::size_t size = std::min<std::size_t>(random() % limit, self.size());
    const std::size_t from = random() % (self.size() - size + 1);
    const auto begin = self.begin() + static_cast<std::ptrdiff_t>(from);
    Bytes code(begin, begin + static_cast<std::ptrdiff_t>(size));
    for (std::size_t k = 0; k < size / 50; k++) {
      code[random() % size] = static_cast<std::uint8_t>(random());
    }
    const std::uint64_t address = random();
    ASSERT_EQ(kX86.to_relative(kX86.to_absolute(code, address), address), code) << "case " << i;
  }
}

// Pages that cannot be touched stand directly in front of the code and directly behind it.
TEST(X86Code, NothingOutsideIsTouched) {
  constexpr std::size_t kPage = 65536, kRoom = 4 * kPage;
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, kRoom + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(memory), MAP_FAILED);
  std::uint8_t* room = memory + kPage;
  ASSERT_EQ(mprotect(room, kRoom, PROT_READ | PROT_WRITE), 0);
  std::mt19937_64 random(5);
  for (std::size_t size :
       {0, 1, 15, 16, 17, 21, 5000, 32'767, 32'768, 32'769, 131'071, 131'072, 131'073, 200'000}) {
    for (std::uint8_t* code : {room, room + kRoom - size}) {
      for (std::size_t i = 0; i < size; i++) code[i] = static_cast<std::uint8_t>(random());
      const Bytes original(code, code + size);
      kX86.absolute(code, size, kX86.address);
      kX86.relative(code, size, kX86.address);
      EXPECT_TRUE(std::equal(original.begin(), original.end(), code)) << size;
    }
  }
  munmap(memory, kRoom + 2 * kPage);
}

TEST(X86Code, InverseIsExactForOurOwnCode) {
  const Bytes self = read_file("/proc/self/exe").bytes;
  EXPECT_NE(kX86.to_absolute(self), self);
  test::expect_exact(kX86, self, kX86.address);
}

}  // namespace
}  // namespace whittle
