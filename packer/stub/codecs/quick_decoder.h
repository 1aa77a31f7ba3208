// SPDX-License-Identifier: MIT
//
// The second codec of level `small`, for what codec mix would not make much smaller: it decodes
// many times faster. An LZ77 stream, cut into blocks; its symbols are coded by rANS with
// distributions that hold for a block, so that each takes one look at a table
// (packer/QUICK_FORMAT.md). It packs like Zstandard's strongest level, and beside codec mix, whose
// coder it shares, it takes a fifth of the code of Zstandard's decoder.
//
// Every access is checked: hostile input is reported or decodes to wrong bytes inside `raw`, which
// the file's digest tells. Each step of the loop either produces a byte or ends, so it ends.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

inline constexpr uint32_t kQuickScaleBits = 11, kQuickScale = 1U << kQuickScaleBits;

// What symbols are for. All but literals are of numbers: a number below 16 is its own symbol;
// above, 16 + 2 (w - 4) + b is the symbol of those whose highest bit is bit w and whose next one is
// b, and w - 1 plain bits follow.
enum QuickTable : uint32_t {
  kQuickRun,           // literals before a copy
  kQuickOffset,        // below kQuickReps: a past distance, the latest first; or distance + 2
  kQuickRepeatLength,  // bytes of a copy from a past distance, - 1
  kQuickLength,        // bytes of another copy, - 1
  kQuickLiteral,
  kQuickTables,
};
inline constexpr uint32_t kQuickFirstBits = 3;  // of a table's first symbol's shares, - 1, expected
inline constexpr uint32_t kQuickReps = 3;
inline constexpr uint32_t kQuickFirstDistances[kQuickReps] = {1, 4, 8};
inline constexpr uint32_t kQuickNumberSymbols = 72;  // for numbers of 32 bits

// By the lowest bits of the state: a symbol (bits 0 to 7), its shares (8 to 19) and which of them
// that is (20 to 31).
struct QuickWorkspace {
  uint32_t slots[kQuickTables][kQuickScale];
};

// Decodes the stream packed[0, packed_size) into raw[0, raw_size), exactly; false where it does not
// hold that. The workspace may hold anything. At most 4 GiB - 1 raw bytes.
bool quick_decode(const uint8_t* packed, size_t packed_size, uint8_t* raw, size_t raw_size,
                  QuickWorkspace& workspace);

}  // namespace whittle::stub
