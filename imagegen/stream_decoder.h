// SPDX-License-Identifier: MIT
//
// Decoders of whole compressed streams, to their last byte: every frame's own check is made, and
// what follows the last frame is an error. libarchive's filters do neither for gzip.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "imagegen/byte_source.h"

namespace whittle::imagegen {

class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  // The next bytes, 0 at the end. Throws Error{corrupt} where the stream is damaged, cut short or
  // followed by other bytes, std::bad_alloc, and what the source throws.
  virtual std::size_t read(std::span<std::uint8_t> buffer) = 0;
};

// gzip (RFC 1952): one or more members.
std::unique_ptr<StreamDecoder> make_gzip_decoder(ByteSource source, std::string name);
// zstd (RFC 8878): one or more frames, skippable ones too. Throws Error{refused} for a window of
// more than 128 MiB.
std::unique_ptr<StreamDecoder> make_zstd_decoder(ByteSource source, std::string name);

// Compressed bytes on their way into a decoder.
class DecoderInput {
 public:
  explicit DecoderInput(ByteSource source) : source_(std::move(source)) {}

  std::span<std::uint8_t> bytes() { return std::span(buffer_).subspan(begin_, end_ - begin_); }
  void drop(std::size_t n) { begin_ += n; }
  // Reads on until there are `least` bytes. False if the source ends before that.
  bool fill(std::size_t least) {
    if (end_ - begin_ >= least) return true;
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    passed_ += begin_;
    begin_ = 0;
    while (end_ < least) {
      const std::size_t n = source_(std::span(buffer_).subspan(end_));
      if (n == 0) return false;
      end_ += n;
    }
    return true;
  }
  std::uint64_t offset() const { return passed_ + begin_; }  // of the next byte, in the source
  // Reads the source to its end. Returns how many bytes that were not dropped.
  std::uint64_t drain() {
    std::uint64_t left = end_ - begin_;
    while (const std::size_t n = source_(buffer_)) left += n;
    return left;
  }

 private:
  ByteSource source_;
  std::array<std::uint8_t, 1 << 16> buffer_{};
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t passed_ = 0;
};

}  // namespace whittle::imagegen
