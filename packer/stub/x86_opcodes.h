// SPDX-License-Identifier: MIT
//
// What follows each opcode byte of x86-64, as far as lengths go. The code transform
// (x86_code.cc) and the codec's model of machine code (mix_model.h) walk by the same tables.
//
// Reference: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
// appendix A.
#pragma once

#include <stdint.h>

namespace whittle::stub::x86 {

// What follows an opcode byte. Appendix A of the manual, tables, for 64-bit mode.
enum : uint8_t {
  kPlain = 0,  // nothing
  kImm8 = 1,   // 1 byte
  kImm16 = 2,  // 2 bytes
  kImm24 = 3,  // 2 bytes and 1 byte (ENTER)
  kImm32 = 4,  // 4 bytes, or 2 under the operand-size prefix
  kSizeMask = 7,
  kModRm = 8,      // a ModRM byte, then what it asks for, before the immediate
  kRelative = 16,  // the immediate is a call or jump distance of 4 bytes to make absolute
  kPrefix = 32,    // a legacy or REX prefix: the opcode is still to come
  kSpecial = 64,   // decided in code, whatever else is set
};

inline constexpr uint8_t M = kModRm, MI = kModRm | kImm8, MZ = kModRm | kImm32, I = kImm8,
                         Z = kImm32, P = kPrefix, S = kSpecial, R = kRelative | kImm32,
                         MS = kModRm | kSpecial, SZ = kSpecial | kImm32;

inline constexpr uint8_t kOneByte[256] = {
    // 0 1 2 3 4 5 6 7 8 9 a b c d e f
    M,      M,  M,      M,  I,  Z,  0,  0,
    M,      M,  M,      M,  I,  Z,  0,  S,  // 00: ADD, OR; 0F escapes
    M,      M,  M,      M,  I,  Z,  0,  0,
    M,      M,  M,      M,  I,  Z,  0,  0,  // 10: ADC, SBB
    M,      M,  M,      M,  I,  Z,  P,  0,
    M,      M,  M,      M,  I,  Z,  P,  0,  // 20: AND, SUB
    M,      M,  M,      M,  I,  Z,  P,  0,
    M,      M,  M,      M,  I,  Z,  P,  0,  // 30: XOR, CMP
    P,      P,  P,      P,  P,  P,  P,  P,
    P,      P,  P,      P,  P,  P,  P,  P,  // 40: REX
    0,      0,  0,      0,  0,  0,  0,  0,
    0,      0,  0,      0,  0,  0,  0,  0,  // 50: PUSH, POP
    0,      0,  S,      M,  P,  P,  P,  P,
    Z,      MZ, I,      MI, 0,  0,  0,  0,  // 60: 62 EVEX, MOVSXD, PUSH, IMUL
    I,      I,  I,      I,  I,  I,  I,  I,
    I,      I,  I,      I,  I,  I,  I,  I,  // 70: Jcc rel8
    MI,     MZ, MI,     MI, M,  M,  M,  M,
    M,      M,  M,      M,  M,  M,  M,  M,  // 80: group 1, TEST, MOV, LEA
    0,      0,  0,      0,  0,  0,  0,  0,
    0,      0,  0,      0,  0,  0,  0,  0,  // 90: NOP, XCHG
    S,      S,  S,      S,  0,  0,  0,  0,
    I,      Z,  0,      0,  0,  0,  0,  0,  // a0: MOV moffs, TEST
    I,      I,  I,      I,  I,  I,  I,  I,
    SZ,     SZ, SZ,     SZ, SZ, SZ, SZ, SZ,  // b0: MOV imm8, MOV imm32/imm64
    MI,     MI, kImm16, 0,  S,  S,  MI, MZ,
    kImm24, 0,  kImm16, 0,  0,  I,  0,  0,  // c0: c4, c5 VEX
    M,      M,  M,      M,  0,  0,  0,  0,
    M,      M,  M,      M,  M,  M,  M,  M,  // d0: shifts, x87
    I,      I,  I,      I,  I,  I,  I,  I,
    R,      R,  0,      I,  0,  0,  0,  0,  // e0: LOOP, IN, CALL, JMP
    P,      0,  P,      P,  0,  0,  MS, MS,
    0,      0,  0,      0,  0,  0,  M,  M,  // f0: LOCK, REP, group 3
};

inline constexpr uint8_t kTwoByte[256] = {
    M,  M,  M,  M,  0,  0,  0,  0, 0, 0, 0,  0, 0,  M, 0, MI,  // 00
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // 10
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // 20
    0,  0,  0,  0,  0,  0,  0,  0, S, 0, S,  0, 0,  0, 0, 0,   // 30: 38 and 3a escape
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // 40: CMOVcc
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // 50
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // 60
    MI, MI, MI, MI, M,  M,  M,  0, M, M, M,  M, M,  M, M, M,   // 70
    Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z, Z, Z, Z,  Z, Z,  Z, Z, Z,   // 80: Jcc rel32
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // 90: SETcc
    0,  0,  0,  M,  MI, M,  0,  0, 0, 0, 0,  M, MI, M, M, M,   // a0
    M,  M,  M,  M,  M,  M,  M,  M, M, M, MI, M, M,  M, M, M,   // b0
    M,  M,  MI, M,  MI, MI, MI, M, 0, 0, 0,  0, 0,  0, 0, 0,   // c0: BSWAP
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // d0
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // e0
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,   // f0
};

}  // namespace whittle::stub::x86
