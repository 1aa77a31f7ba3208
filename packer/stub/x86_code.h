// SPDX-License-Identifier: MIT
//
// x86-64 machine code, made to compress.
//
// A call holds the distance to its target, so two calls of one function never look alike; the same
// is true of every operand that is addressed relative to the instruction pointer (System V ABI: how
// position-independent code reaches its data). Adding the address of the next instruction turns the
// distance into the target itself, which repeats; storing it most-significant byte first puts the
// bytes that vary least next to the opcode, where a match can run on into them.
//
// To find those operands, both directions walk the code instruction by instruction (a linear
// sweep). The length of an instruction depends on its prefixes, opcode, ModRM and SIB bytes alone,
// and the transform changes none of these, only displacements. So the walk visits the same offsets
// in either direction whatever the bytes mean: data between functions, or bytes that are no code at
// all, come back exactly. Searching for opcode bytes without decoding is simpler and about as fast
// but finds fewer operands and mistakes immediates for opcodes.
//
// Conditional jumps (0F 8x) stay as they are: short loops repeat their distances.
//
// Reference: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
// appendix A.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

// Turns relative operands in code[0, size) into absolute ones. `address` is that of code[0],
// counted from the start of the image; only its low 32 bits matter.
void x86_to_absolute(uint8_t* code, size_t size, uint64_t address);

// Memory that the inverse works in, of any contents.
struct X86Workspace {
  static constexpr size_t kLanes = 4;          // pieces of code walked at once
  static constexpr size_t kPiece = 32 * 1024;  // bytes of the largest piece

  // An instruction with an operand to change.
  struct Carrier {
    uint16_t address;  // bits 0–15
    uint16_t step;     // x86_code.cc
  };

  uint8_t pairs[256 * 256];  // steps by an instruction's first two bytes, the first in bits 0–7
  uint8_t addressing[256 * 8];  // what ModRM asks for, by it and bits 0–2 of the byte after it
  Carrier carriers[kLanes][kPiece / 5 + 2];  // such an instruction has 5 bytes at least
};

// The exact inverse, for arbitrary bytes. Nothing outside of code[0, size) is read or written.
void x86_to_relative(uint8_t* code, size_t size, uint64_t address, X86Workspace& workspace);

}  // namespace whittle::stub
