// SPDX-License-Identifier: MIT
//
// What each byte of x86-64 code is: the walk by which the transform (x86_code.h) finds operands and
// the codec's model (mix_context.h) predicts bytes.
//
// An instruction is prefixes, an opcode of one to three bytes, and what the opcode asks for: a
// ModRM byte, which may ask for a SIB byte and a displacement, and an immediate. So a byte's field
// (what it is) and its value decide which fields come next, in front of those that were asked for
// before; where none was, the next instruction begins. Every byte string is walked in this way,
// data between functions as well: nobody need be right about bytes that are no code, only the same
// in both directions. The walk is part of the file format: packer/FORMAT.md, Transform 1.
//
// Reference: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
// appendix A.
#pragma once

#include <stdint.h>

namespace whittle::stub {

enum : uint8_t {
  kOpcode = 0,
  kOpcodeAfterPrefix = 1,
  kOpcodeAfterWide = 2,   // behind a REX prefix with W
  kOpcodeAfterSmall = 3,  // behind 66
  kOpcode2 = 4,           // behind 0F
  kVexOpcode = 5,         // of the same map
  kVexMap = 6,            // behind C4
  kEvexMap = 7,           // behind 62
  kModRmByte = 8,
  kTestModRm = 9,  // behind F6; behind F7; behind 66 and F7: an immediate may follow
  kTestModRmSmall = 11,
  kBaseSib = 12,  // a base of 5 asks for a displacement
  kAsking = 13,   // bytes of these and later fields ask for nothing
  kSib = 13,
  kOpcode3 = 14,  // behind 0F 38 and 0F 3A; bytes of the VEX and EVEX prefixes
  kOperands = 15,
  kDisp8 = 15,
  kImm8Byte = 16,
  kDisp32 = 17,  // these have four: one a byte, the last for all that follow
  kRip = 21,
  kCall = 25,
  kImm = 29,
  kJcc = 33,
  kFields = 37,
};

// Fields asked for, a queue: 6 bits each, the next one lowest; the bits from 58 on: how many bits
// these are. At most 9 fields.
using X86Asks = uint64_t;

// What `byte` in `field` asks for.
X86Asks x86_asks(uint32_t field, uint32_t byte);

}  // namespace whittle::stub
