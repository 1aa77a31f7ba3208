// SPDX-License-Identifier: MIT
//
// RISC-V machine code, made to compress.
//
// Code reaches what is near by `jal`, which holds the distance to its target, and everything else
// by a pair: `auipc` adds 20 bits, shifted left by 12, to its own address and puts the sum into a
// register; the next instruction adds 12 more, signed, to that register and jumps there (`jalr`),
// loads, stores or keeps the sum (`addi`). The distances of two uses of one function or variable
// never look alike. Adding the instruction's own address turns them into the target, which repeats.
//
// The 12 bits being signed, the 20 are one more than the address's own where the 12 are negative;
// the sum of both is what is made absolute, and then divided anew, unsigned, into the same places.
// `jal` reaches 1 MiB, so 20 bits are all that it has for the target: its address modulo 2 MiB,
// halved. They go in order of significance, where the instruction has a permutation of them.
//
// Both directions walk the code instruction by instruction: 4 bytes where the two lowest bits are
// set, else 2 (the compressed ones). What tells instructions apart, and the registers that make a
// pair of two, is not among the bits that change. So the walk visits the same offsets in either
// direction whatever the bytes mean: data between functions comes back exactly.
//
// Of the `jal`, only calls (those that keep the return address in ra): jumps in loops repeat their
// distances, and making them absolute too costs 38,000 bytes of the following. An `auipc` whose
// other half is elsewhere stays as it is; compilers keep the two together.
//
// Measured with zstd on the 4.6 MB of code of esbuild, a Go program: 1,899,963 bytes as it is,
// 1,716,769 with `jal`, 1,539,700 with the pairs too.
//
// Reference: RISC-V Instruction Set Manual, volume I, chapters 2 (RV32I: immediate encodings) and
// 26 (C: compressed instructions).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

// Turns relative operands in code[0, size), which stands at an even address, into absolute ones.
// `address` is that of code[0], counted from the start of the image; only its low 32 bits matter.
void riscv64_to_absolute(uint8_t* code, size_t size, uint64_t address);

// The exact inverse, for arbitrary bytes.
void riscv64_to_relative(uint8_t* code, size_t size, uint64_t address);

}  // namespace whittle::stub
