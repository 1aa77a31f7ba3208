// SPDX-License-Identifier: MIT
//
// Streams of unknown origin that may be compressed by gzip, zstd, xz or bzip2. The first bytes
// decide which, as they do in container engines. Exactly one compression is undone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "imagegen/byte_source.h"

namespace whittle::imagegen {

// True if a stream of one of the four begins with these bytes.
bool is_compressed(ByteView start);

// How many bytes a file may unpack to. Compression makes files of images 2 to 20 times smaller; a
// file that unpacks to a thousand times its size is made to cost minutes.
struct UnpackingLimit {
  std::uint64_t free = std::uint64_t{1} << 30;  // bytes, of a file of any size
  std::uint64_t times = 50;                     // and so many for each of its own

  std::uint64_t by_size(std::uint64_t bytes) const {
    return bytes > UINT64_MAX / 2 / times ? UINT64_MAX / 2 : bytes * times;
  }
  std::uint64_t of(std::uint64_t bytes) const { return free + by_size(bytes); }
};

// The bytes inside a stream, which may consist of several members (gzip), frames (zstd) or streams
// (xz, bzip2). A stream that is not compressed passes unchanged.
class Decompressor {
 public:
  // `name` is for messages; at most `limit` bytes come out.
  Decompressor(ByteSource source, std::string name, std::uint64_t limit);
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // The next bytes, 0 at the end. Throws Error{corrupt} where the stream is damaged, cut short, or
  // followed by other bytes; Error{refused} where more than the limit come out of it; and what the
  // source throws.
  std::size_t read(std::span<std::uint8_t> buffer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whittle::imagegen
