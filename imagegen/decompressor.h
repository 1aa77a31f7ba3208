// SPDX-License-Identifier: MIT
//
// Streams of unknown origin that may be compressed: by gzip, zstd, xz or bzip2, which the first
// bytes tell, as engines go by them. Exactly one compression is undone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "imagegen/byte_source.h"

namespace whittle::imagegen {

// True where the bytes are those that one of the four begins with.
bool is_compressed(ByteView start);

// How many bytes may come out of a file. Files of images become 2 to 20 times smaller; a thousand
// times is what makes a small file cost minutes.
struct UnpackingLimit {
  std::uint64_t free = std::uint64_t{1} << 30;  // bytes, of a file of any size
  std::uint64_t times = 50;                     // and so many for each of its own

  std::uint64_t by_size(std::uint64_t bytes) const {
    return bytes > UINT64_MAX / 2 / times ? UINT64_MAX / 2 : bytes * times;
  }
  std::uint64_t of(std::uint64_t bytes) const { return free + by_size(bytes); }
};

// The bytes inside a stream, which may consist of several members (gzip) or frames (zstd) or
// streams (xz, bzip2), one after the other; a stream that is not compressed, as it is.
class Decompressor {
 public:
  // `name` is for messages; at most `limit` bytes are given.
  Decompressor(ByteSource source, std::string name, std::uint64_t limit);
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // The next bytes, 0 at the end. Throws Error{corrupt} where the stream is damaged, cut short,
  // without any data in it, or followed by bytes that are none of it; Error{refused} where more
  // than the limit come out of it; and what the source throws.
  std::size_t read(std::span<std::uint8_t> buffer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whittle::imagegen
