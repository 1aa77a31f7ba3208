// SPDX-License-Identifier: MIT
//
// How a Zstandard frame becomes bytes again, in the least code that is still fast.
//
// A frame is a header and a chain of blocks of up to 128 KiB. A compressed block has two sections:
// its *literals*, bytes coded by a Huffman tree (zstd_literals.cc), and its *sequences*, triples of
// (literal length, match length, offset) coded by three interleaved FSE state machines
// (zstd_sequences.cc). Executing a sequence copies literals and then a match from what was written
// before (zstd_execute.cc). Below them lie the tables of FSE (zstd_fse.cc) and the reading of bits
// (zstd_bits.h). This file is the chain itself.
//
// Why not libzstd: its decoder is 222 KB of text where a stub has 16 KiB for everything, and it
// uses the stack protector through the thread pointer, which nobody has set up when a stub runs.
//
// Bounds: every section's size is checked before it is looked into, and what a section may read
// beyond itself is still source or workspace (see zstd_bits.h).
#include "packer/stub/codecs/zstd_decoder.h"

#include "packer/stub/base/system.h"
#include "packer/stub/codecs/zstd_bits.h"
#include "packer/stub/codecs/zstd_execute.h"
#include "packer/stub/codecs/zstd_literals.h"
#include "packer/stub/codecs/zstd_sequences.h"

namespace whittle::stub {
namespace {

constexpr size_t kBlockSize = ZstdWorkspace::kBlockSize;
constexpr size_t kMemoryStep = 128 << 10;  // system.h

ZstdStatus decode_compressed_block(Input in, const uint8_t* src_end, Output& out,
                                   ZstdWorkspace& ws) {
  uint8_t* const block_start = out.at;
  Input literals;
  ZstdStatus status = read_literals(in, src_end, ws, &literals);
  if (status != ZstdStatus::ok) return status;
  status = decode_sequences(in, literals, out, ws);
  if (status != ZstdStatus::ok) return status;
  if (static_cast<size_t>(out.at - block_start) > kBlockSize) return ZstdStatus::bad_block;
  return ZstdStatus::ok;
}

// Takes the frame header off the input (3.1.1.1).
ZstdStatus read_frame_header(Input& in, size_t dst_size, bool* has_checksum) {
  if (in.size() < 5) return ZstdStatus::truncated;
  if (load32(in.begin) != 0xFD2FB528) return ZstdStatus::bad_magic;
  const unsigned descriptor = in.begin[4];
  in.begin += 5;
  if ((descriptor & 0x08) != 0) return ZstdStatus::reserved_bits;
  if ((descriptor & 0x03) != 0) return ZstdStatus::unsupported_frame;  // Dictionary_ID_flag
  *has_checksum = (descriptor & 0x04) != 0;
  const bool single_segment = (descriptor & 0x20) != 0;
  if (!single_segment) {
    if (in.size() == 0) return ZstdStatus::truncated;
    if (*in.begin++ >> 3 > 31 - 10) return ZstdStatus::unsupported_frame;  // window exponent
  }
  const unsigned flag = descriptor >> 6;
  if (flag == 0 && !single_segment) return ZstdStatus::ok;  // content size not given
  const size_t width = size_t{1} << flag;
  if (in.size() < width) return ZstdStatus::truncated;
  uint64_t content_size = flag == 1 ? 256 : 0;
  for (size_t i = 0; i < width; ++i) content_size += uint64_t{in.begin[i]} << (8 * i);
  in.begin += width;
  return content_size == dst_size ? ZstdStatus::ok : ZstdStatus::size_mismatch;
}

}  // namespace

ZstdStatus zstd_decode(const uint8_t* src, size_t src_size, uint8_t* dst, size_t dst_size,
                       ZstdWorkspace& workspace) {
  Input in = {src, src + src_size};
  Output out = {dst, dst, dst + dst_size, {1, 4, 8}};
  workspace.have_huffman = false;
  workspace.have_states = false;

  bool has_checksum;
  ZstdStatus status = read_frame_header(in, dst_size, &has_checksum);
  if (status != ZstdStatus::ok) return status;

  const uint8_t* kept = src;
  uint8_t* there = dst;
  for (bool last = false; !last;) {
    kept = release_behind(kept, in.begin, kMemoryStep);
    there = populate_ahead(there, out.at, out.end, kMemoryStep);
    if (in.size() < 3) return ZstdStatus::truncated;
    const unsigned header = load16(in.begin) | unsigned{in.begin[2]} << 16;
    in.begin += 3;
    last = (header & 1) != 0;
    const unsigned type = header >> 1 & 3;
    const size_t size = header >> 3;
    if (type == 3) return ZstdStatus::reserved_bits;
    if (size > kBlockSize) return ZstdStatus::bad_block;

    const size_t stored = type == 1 ? 1 : size;
    if (in.size() < stored) return ZstdStatus::truncated;
    const Input block = {in.begin, in.begin + stored};
    in.begin += stored;
    if (type == 2) {
      if (size < 2 || size == kBlockSize) return ZstdStatus::bad_block;
      status = decode_compressed_block(block, in.end, out, workspace);
      if (status != ZstdStatus::ok) return status;
      continue;
    }
    if (size > out.room()) return ZstdStatus::output_too_small;
    if (type == 0) {
      copy_exact(out.at, block.begin, size);
    } else {
      fill_exact(out.at, *block.begin, size);
    }
    out.at += size;
  }

  if (has_checksum) {
    if (in.size() < 4) return ZstdStatus::truncated;
    in.begin += 4;
  }
  if (in.size() != 0) return ZstdStatus::trailing_bytes;
  return out.room() == 0 ? ZstdStatus::ok : ZstdStatus::size_mismatch;
}

}  // namespace whittle::stub
