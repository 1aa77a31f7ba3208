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
// To find those operands, both directions walk the code instruction by instruction (x86_fields.h),
// anew in each piece of it. What follows in an instruction depends on its prefixes, opcode, ModRM
// and SIB bytes alone, and the transform changes none of these, only displacements. So the walk
// visits the same bytes in either direction whatever they mean: data between functions, or bytes
// that are no code at all, come back exactly. Searching for opcode bytes without decoding is
// simpler and about as fast but finds fewer operands and mistakes immediates for opcodes.
//
// Conditional jumps (0F 8x) stay as they are: short loops repeat their distances.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "packer/stub/base/x86_fields.h"

namespace whittle::stub {

// Bytes of a piece. The inverse walks several at once. A walk that begins inside an instruction is
// soon in step with the code, so this costs one operand of 3,000.
inline constexpr size_t kX86Piece = 32 * 1024;
// Bytes at the end of a piece that the walk does not look at: no operand reaches beyond them.
inline constexpr size_t kX86PieceTail = 16;

// Turns relative operands in code[0, size) into absolute ones. `address` is that of code[0],
// counted from the start of the image; only its low 32 bits matter.
void x86_to_absolute(uint8_t* code, size_t size, uint64_t address);

// The walk as a table.
struct X86Steps {
  static constexpr uint32_t kBehind = 5;  // 0 to 4 bytes of operands can be known to follow ModRM

  // A step by the byte it looks at, for each state, which is a field and how many bytes of operands
  // follow behind what it asks for: [256 * (kBehind * field + behind) + byte].
  uint16_t step[256 * kAsking * kBehind];
};

// Memory that the inverse works in, of any contents.
struct X86Workspace {
  static constexpr size_t kLanes = 4;  // pieces walked at once

  // Bytes with an operand to change behind them. Arrays of their own: one store would join the two.
  struct Notes {
    static constexpr size_t kMost = kX86Piece / 5 + 2;  // such an instruction has 5 bytes at least
    uint16_t at[kMost];                                 // bits 0-14: in the piece
    uint16_t step[kMost];
  };

  X86Steps steps;
  Notes notes[kLanes];
};

// The exact inverse, for arbitrary bytes. Nothing outside of code[0, size) is read or written.
void x86_to_relative(uint8_t* code, size_t size, uint64_t address, X86Workspace& workspace);

}  // namespace whittle::stub
