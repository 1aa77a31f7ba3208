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

#include "packer/stub/x86_opcodes.h"

namespace whittle::stub::x86 {

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
