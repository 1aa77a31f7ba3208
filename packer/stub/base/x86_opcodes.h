// SPDX-License-Identifier: MIT
//
// What follows each opcode byte of x86-64, as far as lengths go: the tables of x86_fields.cc.
//
// Reference: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
// appendix A, tables, for 64-bit mode.
#pragma once

#include <stdint.h>

#include "packer/stub/base/x86_fields.h"

namespace whittle::stub::x86 {

// Asks for `count` fields from `field` on; in ranges of four the last is for all that follow.
constexpr X86Asks run(uint32_t field, uint32_t count = 1) {
  X86Asks asks = X86Asks{6 * count} << 58;
  for (uint32_t n = 0; n < count; n++) asks |= X86Asks{field + (n < 3 ? n : 3)} << 6 * n;
  return asks;
}
// Asks for one and then for the other.
constexpr X86Asks join(X86Asks first, X86Asks then) {
  constexpr X86Asks kBits = ~X86Asks{0} << 58;
  return first + ((then & ~kBits) << (first >> 58)) + (then & kBits);
}

inline constexpr X86Asks kModRmThenImm8 = join(run(kModRmByte), run(kImm8Byte));

// What can follow a byte, by its kind: X(kind, fields).
#define WHITTLE_X86_KINDS(X)                                                          \
  X(kPlain, 0)                                                                        \
  X(kImm8, run(kImm8Byte))                                                            \
  X(kModRm, run(kModRmByte))                                                          \
  X(kModRmImm8, kModRmThenImm8) /* no other in VEX and EVEX, map 1 */                 \
  X(kModRmImm32, join(run(kModRmByte), run(kImm, 4)))                                 \
  X(kModRmImm16, join(run(kModRmByte), run(kImm, 2)))                                 \
  X(kImm32, run(kImm, 4))                                                             \
  X(kImm16, run(kImm, 2))                                                             \
  X(kImm24, run(kImm, 3))                                                             \
  X(kMoffs, run(kImm, 8)) /* MOV moffs; MOV r, imm behind REX with W */               \
  X(kMov, run(kImm, 4))   /* MOV r, imm */                                            \
  X(kMovSmall, run(kImm, 2))                                                          \
  X(kBranch, run(kCall, 4)) /* CALL, JMP */                                           \
  X(kJump, run(kJcc, 4))    /* Jcc, also behind 66 */                                 \
  X(kPrefix, run(kOpcodeAfterPrefix))                                                 \
  X(kPrefix66, run(kOpcodeAfterSmall))                                                \
  X(kRexW, run(kOpcodeAfterWide))                                                     \
  X(kGroup3Byte, run(kTestModRm)) /* F6 */                                            \
  X(kGroup3, run(kTestModRm + 1)) /* F7 */                                            \
  X(kGroup3Small, run(kTestModRmSmall))                                               \
  X(kEscape, run(kOpcode2))                                                           \
  X(kThree38, join(run(kOpcode3), run(kModRmByte)))                                   \
  X(kThree3a, join(run(kOpcode3), kModRmThenImm8))                                    \
  X(kVex2, join(run(kOpcode3), run(kVexOpcode))) /* C5; C4 and 62 in map 1 */         \
  X(kVex3, run(kVexMap))                                                              \
  X(kEvex, run(kEvexMap))                                                             \
  X(kEvexByte, run(kOpcode3)) /* in EVEX one more, in front of what follows in VEX */ \
  X(kVexModRm, join(run(kOpcode3), join(run(kOpcode3), run(kModRmByte))))             \
  X(kVexModRmImm8, join(run(kOpcode3), join(run(kOpcode3), kModRmThenImm8)))          \
  X(kSibByte, run(kSib)) /* these follow ModRM and SIB */                             \
  X(kBaseSibByte, run(kBaseSib))                                                      \
  X(kRelative32, run(kRip, 4))                                                        \
  X(kShort, run(kDisp8))                                                              \
  X(kLong, run(kDisp32, 4))

enum : uint8_t {
#define WHITTLE_X86_KIND(kind, fields) kind,
  WHITTLE_X86_KINDS(WHITTLE_X86_KIND)
#undef WHITTLE_X86_KIND
};
// Of an opcode's kind: behind 66 it is the next one.
inline constexpr uint8_t kSmall = 64;

inline constexpr X86Asks kFollows[] = {
#define WHITTLE_X86_FOLLOWS(kind, fields) fields,
    WHITTLE_X86_KINDS(WHITTLE_X86_FOLLOWS)
#undef WHITTLE_X86_FOLLOWS
};
#undef WHITTLE_X86_KINDS

inline constexpr uint8_t M = kModRm, MI = kModRmImm8, MZ = kModRmImm32 | kSmall, I = kImm8,
                         Z = kImm32 | kSmall, V = kMov | kSmall, P = kPrefix | kSmall,
                         PS = kPrefix66, PW = kRexW, G = kGroup3Byte, GZ = kGroup3 | kSmall,
                         A = kMoffs, B = kBranch, J = kJump, E = kEscape, X2 = kVex2, X3 = kVex3,
                         X4 = kEvex, T8 = kThree38, TA = kThree3a;

inline constexpr uint8_t kOneByte[256] = {
    // 0 1 2 3 4 5 6 7 8 9 a b c d e f
    M,      M,  M,      M,  I,  Z,  0,  0,
    M,      M,  M,      M,  I,  Z,  0,  E,  // 00: ADD, OR; 0F escapes
    M,      M,  M,      M,  I,  Z,  0,  0,
    M,      M,  M,      M,  I,  Z,  0,  0,  // 10: ADC, SBB
    M,      M,  M,      M,  I,  Z,  P,  0,
    M,      M,  M,      M,  I,  Z,  P,  0,  // 20: AND, SUB
    M,      M,  M,      M,  I,  Z,  P,  0,
    M,      M,  M,      M,  I,  Z,  P,  0,  // 30: XOR, CMP
    P,      P,  P,      P,  P,  P,  P,  P,
    PW,     PW, PW,     PW, PW, PW, PW, PW,  // 40: REX
    0,      0,  0,      0,  0,  0,  0,  0,
    0,      0,  0,      0,  0,  0,  0,  0,  // 50: PUSH, POP
    0,      0,  X4,     M,  P,  P,  PS, P,
    Z,      MZ, I,      MI, 0,  0,  0,  0,  // 60: 62 EVEX, MOVSXD, PUSH, IMUL
    I,      I,  I,      I,  I,  I,  I,  I,
    I,      I,  I,      I,  I,  I,  I,  I,  // 70: Jcc rel8
    MI,     MZ, MI,     MI, M,  M,  M,  M,
    M,      M,  M,      M,  M,  M,  M,  M,  // 80: group 1, TEST, MOV, LEA
    0,      0,  0,      0,  0,  0,  0,  0,
    0,      0,  0,      0,  0,  0,  0,  0,  // 90: NOP, XCHG
    A,      A,  A,      A,  0,  0,  0,  0,
    I,      Z,  0,      0,  0,  0,  0,  0,  // a0: MOV moffs, TEST
    I,      I,  I,      I,  I,  I,  I,  I,
    V,      V,  V,      V,  V,  V,  V,  V,  // b0: MOV imm8, MOV imm32/imm64
    MI,     MI, kImm16, 0,  X3, X2, MI, MZ,
    kImm24, 0,  kImm16, 0,  0,  I,  0,  0,  // c0: c4, c5 VEX
    M,      M,  M,      M,  0,  0,  0,  0,
    M,      M,  M,      M,  M,  M,  M,  M,  // d0: shifts, x87
    I,      I,  I,      I,  I,  I,  I,  I,
    B,      B,  0,      I,  0,  0,  0,  0,  // e0: LOOP, IN, CALL, JMP
    P,      0,  P,      P,  0,  0,  G,  GZ,
    0,      0,  0,      0,  0,  0,  M,  M,  // f0: LOCK, REP, group 3
};

inline constexpr uint8_t kTwoByte[256] = {
    M,  M,  M,  M,  0,  0,  0,  0, 0,  0, 0,  0, 0,  M, 0, MI,  // 00
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // 10
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // 20
    0,  0,  0,  0,  0,  0,  0,  0, T8, 0, TA, 0, 0,  0, 0, 0,   // 30: 38 and 3a escape
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // 40: CMOVcc
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // 50
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // 60
    MI, MI, MI, MI, M,  M,  M,  0, M,  M, M,  M, M,  M, M, M,   // 70
    J,  J,  J,  J,  J,  J,  J,  J, J,  J, J,  J, J,  J, J, J,   // 80: Jcc rel32
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // 90: SETcc
    0,  0,  0,  M,  MI, M,  0,  0, 0,  0, 0,  M, MI, M, M, M,   // a0
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, MI, M, M,  M, M, M,   // b0
    M,  M,  MI, M,  MI, MI, MI, M, 0,  0, 0,  0, 0,  0, 0, 0,   // c0: BSWAP
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // d0
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // e0
    M,  M,  M,  M,  M,  M,  M,  M, M,  M, M,  M, M,  M, M, M,   // f0
};

}  // namespace whittle::stub::x86
