// SPDX-License-Identifier: MIT
//
// AArch64 machine code, made to compress.
//
// `bl` holds the distance to its target in words, `adrp` the distance to a page of 4 KiB, so two
// uses of one function or variable never look alike. Adding the instruction's own address turns the
// distance into the target, which repeats. What follows `adrp` to complete the address (`add`,
// `ldr`, `str`) holds the offset in the page, which is absolute already; with the page absolute the
// pair repeats as a whole. All words are then stored most significant byte first: the opcode stands
// before its operands, and matches run from what varies least into what varies most.
//
// Measured with zstd on the 4.8 MB of code of esbuild, a Go program: 1,730,332 bytes as it is,
// 1,546,407 with `bl`, 1,485,085 with `adrp` too, 1,475,629 with the bytes turned round.
//
// Every instruction is a word of 4 bytes, and the bits that tell one from another are not among
// those that change. So both directions look at the same words and find the same instructions in
// them, whatever the bytes mean: data between functions comes back exactly.
//
// A page number is 21 bits, of which an image of less than 2 GiB needs 19. In the instruction the
// two lowest stand apart from the rest, in the byte of the opcode; here the two highest stand
// there, which keeps that byte constant.
//
// Jumps stay as they are, because short loops repeat their distances: making `b` absolute costs
// 53,000 bytes there.
//
// Reference: Arm Architecture Reference Manual for A-profile, C6.2, "BL" and "ADRP".
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

// Turns relative operands in code[0, size) into absolute ones. `address` is that of code[0],
// counted from the start of the image, which is the start of a page.
void aarch64_to_absolute(uint8_t* code, size_t size, uint64_t address);

// The exact inverse, for arbitrary bytes.
void aarch64_to_relative(uint8_t* code, size_t size, uint64_t address);

}  // namespace whittle::stub
