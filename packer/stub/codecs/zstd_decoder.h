// SPDX-License-Identifier: MIT
//
// A small freestanding decoder of one Zstandard frame (RFC 8878), for the stub of packed programs.
//
// It needs nothing from its surroundings: no libc, no allocation, no writable globals, no
// relocations. The caller owns the source, the destination and the workspace. The very same source
// also compiles hosted, so unit tests and fuzzers drive the code that ships.
//
// What it decodes: exactly one frame without a dictionary, into a destination whose size is known.
// All block types, literal types, sequence modes and repeat offsets; any window up to 2 GiB,
// because the contiguous destination is the window. A content checksum is skipped, *not* verified:
// a packed file carries its own digest. Skippable frames, several frames and legacy formats are
// errors.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace whittle::stub {

// Why a frame was refused. Anything but `ok` leaves the destination with undefined contents.
enum class ZstdStatus : int {
  // The frame was decoded: all of the source was used and all of the destination written.
  ok = 0,
  // The source ends inside the frame header, a block header, a block or the checksum.
  truncated,
  // The frame is complete, but bytes follow it in the source.
  trailing_bytes,
  // The source does not start with the magic number 0xFD2FB528.
  bad_magic,
  // A valid frame that this decoder does not do: with a dictionary, or a window above 2 GiB.
  unsupported_frame,
  // A field the format reserves is not zero, or a block has the reserved type.
  reserved_bits,
  // A block is larger than 128 KiB, as stored or as regenerated; a compressed block is empty; or
  // its number of sequences is a zero in two bytes (which versions of libzstd read differently).
  bad_block,
  // A literals section does not fit its block, its streams do not add up, or it asks for the
  // previous Huffman tree where there is none.
  bad_literals,
  // A Huffman tree description is not a complete prefix code.
  bad_huffman,
  // A Huffman code is longer than the 11 bits the format allows (libzstd tolerates 12).
  long_huffman_code,
  // A table of symbol probabilities is cut off, does not add up, names symbols that do not exist,
  // or is to be repeated where there is none.
  bad_fse,
  // A sequences section is cut off, or uses more literals than its block has.
  bad_sequences,
  // A Huffman stream or the bits of the sequences have no end mark, end too early or are left over
  // (libzstd up to 1.5.4 tolerates some of that).
  bad_bitstream,
  // A match reaches back to before the start of the destination.
  bad_offset,
  // A repeat offset minus one is zero (libzstd up to 1.5.4 reads that as one).
  zero_offset,
  // The frame holds more than the destination's size.
  output_too_small,
  // The frame holds less than the destination's size, or its header gives another size.
  size_mismatch,
};

// One state of a decoding table for literal lengths, offsets or match lengths. A value is `base`
// plus `extra_bits` bits from the stream; the next state is `next` plus `state_bits` bits from the
// stream.
struct ZstdFseEntry {
  uint32_t base;
  uint16_t next;
  uint8_t state_bits;
  uint8_t extra_bits;
};

// "Copy `literals` bytes from the literals, then `match` bytes from `offset` bytes back."
struct ZstdSequence {
  uint32_t literals;
  uint32_t match;
  uint32_t offset;
};

// Everything the decoder keeps while it runs, about 150 KiB. Need not be initialised; may be used
// again.
struct ZstdWorkspace {
  static constexpr size_t kBlockSize = 128 * 1024;  // RFC 8878, 3.1.1.2.4: Block_Maximum_Size
  static constexpr size_t kSlack = 32;   // bytes that fast copies may touch beyond an end
  static constexpr size_t kBatch = 256;  // sequences decoded before they are executed

  alignas(16) uint8_t literals[kBlockSize + kSlack];
  ZstdFseEntry states[3][512];  // decoding tables of literal lengths, offsets, match lengths
  uint8_t logs[3];              // their sizes: 2^log states
  bool have_states, have_huffman;
  ZstdFseEntry weights[64];
  uint16_t huffman[2048];  // by the next 11 bits: code length (bits 0–7), symbol (bits 8–15)
  ZstdSequence batch[kBatch];
  int16_t counts[256];
  uint8_t huffman_weights[256];
};

// Decodes the one frame in `src` (`src_size` bytes) to `dst`. Returns `ok` only if the frame fills
// exactly `dst_size` bytes and ends exactly at the end of the source. Whatever the input, nothing
// outside of [src, src + src_size) is read and nothing outside of [dst, dst + dst_size) is written.
// Source, destination and workspace must not overlap.
ZstdStatus zstd_decode(const uint8_t* src, size_t src_size, uint8_t* dst, size_t dst_size,
                       ZstdWorkspace& workspace);

}  // namespace whittle::stub
