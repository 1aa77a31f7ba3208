// SPDX-License-Identifier: MIT
//
// How long an x86-64 instruction is, and where in it a relative operand lies.
//
// An instruction is prefixes, an opcode of one to three bytes, and what the opcode asks for: a
// ModRM byte, which may ask for a SIB byte and a displacement, and an immediate. Two tables of one
// byte an opcode say what that is; what one byte cannot say is decided in code. Every byte string
// decodes to something, because the walk over code (x86_code.h) meets data as well, and both of its
// directions have to agree about it. These tables are part of the file format: FORMAT.md,
// Transform 1.
//
// Reference: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
// appendix A.
#pragma once

#include <stddef.h>
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

constexpr uint8_t M = kModRm, MI = kModRm | kImm8, MZ = kModRm | kImm32, I = kImm8, Z = kImm32,
                  P = kPrefix, S = kSpecial, R = kRelative | kImm32, MS = kModRm | kSpecial,
                  SZ = kSpecial | kImm32;

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

// The longest legal instruction has 15 bytes; bytes that are no code can ask for a few more.
inline constexpr size_t kLongest = 32;

struct Instruction {
  uint32_t length;   // bytes; at least 1
  uint32_t operand;  // offset of the 4-byte relative operand, 0 where there is none
};

// Decodes the instruction at `p`; at least kLongest bytes are readable. Always makes progress.
inline Instruction decode(const uint8_t* p) {
  const uint8_t* at = p;
  uint32_t immediate32 = 4;  // size of a kImm32 immediate
  bool wide = false;         // REX.W
  uint8_t opcode = *at++;
  uint8_t traits = kOneByte[opcode];
  // Prefixes; a REX prefix counts only directly before the opcode. The manual allows four; eight
  // bound the walk over junk.
  for (int i = 0; traits == kPrefix && i < 8; i++) {
    wide = (opcode & 0xf8) == 0x48;
    if (opcode == 0x66) immediate32 = 2;
    opcode = *at++;
    traits = kOneByte[opcode];
  }
  if (traits & kSpecial) {
    if (opcode == 0x0f) {
      opcode = *at++;
      traits = kTwoByte[opcode];
      if ((opcode & 0xf0) == 0x80) immediate32 = 4;  // in 64-bit mode Jcc ignores the prefix
      if (traits == kSpecial) {
        traits = opcode == 0x38 ? kModRm : (kModRm | kImm8);
        at++;
      }
    } else if (opcode == 0xc5 || opcode == 0xc4 || opcode == 0x62) {  // VEX2, VEX3, EVEX
      uint32_t map = 1;
      if (opcode == 0xc4) map = *at & 31;
      if (opcode == 0x62) map = *at & 7;
      at += opcode == 0xc5 ? 1 : opcode == 0xc4 ? 2 : 3;
      opcode = *at++;
      traits = map == 1 ? kTwoByte[opcode] : map == 3 ? (kModRm | kImm8) : kModRm;
      traits &= kModRm | kImm8;
    } else if (opcode >= 0xf6) {  // group 3: TEST has an immediate, the others have none
      traits = kModRm;
      if ((*at & 0x30) == 0) traits |= opcode == 0xf6 ? kImm8 : kImm32;
    } else if (opcode >= 0xb8) {  // MOV r, imm
      traits = kImm32;
      if (wide) immediate32 = 8;
    } else {  // MOV moffs: an 8-byte address
      traits = kImm32;
      immediate32 = 8;
    }
  }
  uint32_t immediate = traits & kSizeMask;
  if (immediate == kImm32) immediate = traits & kRelative ? 4 : immediate32;
  uint32_t operand = 0;
  if (traits & kModRm) {
    const uint8_t modrm = *at++;
    const uint8_t mod = modrm >> 6, rm = modrm & 7;
    if (mod != 3) {
      if (rm == 4) {
        const uint8_t sib = *at++;
        if (mod == 0 && (sib & 7) == 5) at += 4;
      } else if (mod == 0 && rm == 5) {
        operand = static_cast<uint32_t>(at - p);
        at += 4;
      }
      if (mod == 1) at += 1;
      if (mod == 2) at += 4;
    }
  } else if (traits & kRelative) {
    operand = static_cast<uint32_t>(at - p);
  }
  return {static_cast<uint32_t>(at - p) + immediate, operand};
}

}  // namespace whittle::stub::x86
